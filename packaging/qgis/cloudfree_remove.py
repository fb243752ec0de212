"""Cloud removal in the Processing toolbox of QGIS 3: a form for `cloudfree remove`.

Add it in QGIS with Processing Toolbox, Scripts, Add Script to Toolbox. cloudfree itself stays where
it is installed, in a Python of its own: the script runs its command line.
"""

from __future__ import annotations

import os
import queue
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import IO, Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingOutputRasterLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterString,
)

# Values of --fill-by, and how the form calls them.
FILL_BY = ("auto", "scene", "network")
_FILL_BY_LABELS = ("Scene and model together", "Scene alone", "Model alone")
# Flags that are boxes to tick: parameter, flag, label, whether it is ticked.
FLAGS = (
    ("UNCERTAINTY", "--uncertainty", "Also write the uncertainty", False),
    ("WRITE_MASK", "--write-mask", "Also write the cloud mask", False),
    ("ADAPT", "--adapt", "Adapt the model to the scene", False),
    ("QML", "--qml", "Styles for masks and uncertainty", True),
)
# Other rasters of a run: name of the output, end of the file's name, label.
COMPANIONS = (
    ("FILLED", "filled", "Filled pixels"),
    ("MASK_USED", "mask", "Cloud mask"),
    ("DEVIATION", "uncertainty", "Uncertainty"),
)
# What QGIS sets for its own Python, GDAL and PROJ, which would break those of cloudfree.
_OWN_OF_QGIS = (
    "PYTHONHOME", "PYTHONPATH", "GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_LIB", "PROJ_DATA",
)  # fmt: skip
_POLL_S = 0.2


class CloudfreeRemove(QgsProcessingAlgorithm):
    """The form, and the run of the command line that it fills in."""

    def name(self) -> str:
        """Identifier, as `processing.run("script:cloudfree_remove", ...)` takes it."""
        return "cloudfree_remove"

    def displayName(self) -> str:  # noqa: N802 (a name of QGIS)
        """Name in the toolbox."""
        return "Remove clouds (Sentinel-2)"

    def group(self) -> str:
        """Group in the toolbox."""
        return "cloudfree"

    def groupId(self) -> str:  # noqa: N802
        """Identifier of the group."""
        return "cloudfree"

    def shortHelpString(self) -> str:  # noqa: N802
        """Text beside the form."""
        return (
            "Fills clouds and their shadows in a Sentinel-2 scene from the scene itself, a "
            "Sentinel-1 scene, a model and other dates. Filled pixels are an estimate, not an "
            "observation. A product is given by its zip file or by its MTD_MSIL1C.xml, "
            "MTD_MSIL2A.xml or manifest.safe."
        )

    def createInstance(self) -> CloudfreeRemove:  # noqa: N802
        """A new one, for a run of its own."""
        return CloudfreeRemove()

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: N802
        """Declare parameters and outputs."""
        del configuration
        for parameter in (*_inputs(), *_choices()):
            self.addParameter(parameter)
        self.addParameter(QgsProcessingParameterRasterDestination("OUTPUT", "Cloud-free scene"))
        for name, _, label in COMPANIONS:
            self.addOutput(QgsProcessingOutputRasterLayer(name, label))

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: Any, feedback: Any
    ) -> dict[str, str]:
        """Run cloudfree; the paths of what it wrote, by output: none after the user cancelled."""
        # Asked once: for a temporary layer QGIS gives another path each time.
        output = self.parameterAsOutputLayer(parameters, "OUTPUT", context)
        command = self.command_line(parameters, context, output)
        feedback.pushCommandInfo(shlex.join(command))
        run(command, feedback)
        if feedback.isCanceled():
            return {}
        result = Path(output)
        paths = {name: result.with_name(f"{result.stem}_{end}.tif") for name, end, _ in COMPANIONS}
        written = {name: str(path) for name, path in paths.items() if path.exists()}
        return {"OUTPUT": str(result), **written}

    def command_line(self, parameters: dict[str, Any], context: Any, output: str) -> list[str]:
        """The words of the command line that the form stands for, which writes `output`."""

        def given(read: Callable[[dict[str, Any], str, Any], str], name: str) -> str:
            return read(parameters, name, context)

        command = [given(self.parameterAsString, "PROGRAM"), "remove"]
        for flag, name in (("--s2", "S2"), ("--s1", "S1"), ("--mask", "MASK")):
            if path := given(self.parameterAsFile, name):
                command += [flag, path]
        # Without files QGIS gives a list of one empty name.
        for path in filter(None, self.parameterAsFileList(parameters, "REFERENCES", context)):
            command += ["--reference", path]
        chosen = FILL_BY[self.parameterAsEnum(parameters, "FILL_BY", context)]
        command += ["--fill-by", chosen]
        ticked = self.parameterAsBoolean
        command += [flag for name, flag, *_ in FLAGS if ticked(parameters, name, context)]
        command += shlex.split(given(self.parameterAsString, "MORE"))
        # QGIS has asked before it replaces a file.
        return [*command, "-o", output, "--overwrite"]


def _inputs() -> Iterator[QgsProcessingParameterDefinition]:
    """Files of the run."""
    yield QgsProcessingParameterFile("S2", "Cloudy Sentinel-2 scene")
    yield QgsProcessingParameterFile("S1", "Sentinel-1 scene", optional=True)
    yield QgsProcessingParameterMultipleLayers(
        "REFERENCES", "Other dates of the place", QgsProcessing.TypeFile, optional=True
    )
    yield QgsProcessingParameterFile("MASK", "Cloud mask  [default: made here]", optional=True)


def _choices() -> Iterator[QgsProcessingParameterDefinition]:
    """How the run goes; what is seldom needed is folded away."""
    yield QgsProcessingParameterEnum(
        "FILL_BY", "What fills clouds", options=list(_FILL_BY_LABELS), defaultValue=0
    )
    for name, _, label, ticked in FLAGS:
        yield QgsProcessingParameterBoolean(name, label, defaultValue=ticked)
    for parameter in (
        QgsProcessingParameterString("MORE", "Other options", defaultValue="", optional=True),
        QgsProcessingParameterString("PROGRAM", "Program", defaultValue="cloudfree"),
    ):
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.FlagAdvanced)
        yield parameter


def run(command: list[str], feedback: Any) -> None:
    """Run a command, show its lines as they come, and end it when the user cancels.

    Raises
    ------
    QgsProcessingException
        There is no such program, or it fails; with its last line.
    """
    environment = {name: text for name, text in os.environ.items() if name not in _OWN_OF_QGIS}
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=environment, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    except OSError as error:
        raise QgsProcessingException(
            f"{command[0]} cannot be run ({error}); give the path of cloudfree as Program"
        ) from error
    with process:
        assert process.stdout is not None
        last = _shown(process, process.stdout, feedback)
    if process.returncode and not feedback.isCanceled():
        raise QgsProcessingException(last or f"cloudfree ended with {process.returncode}")


def _shown(process: subprocess.Popen[str], output: IO[str], feedback: Any) -> str:
    """The last line of a process, all of which are shown; a thread waits for the next one."""
    lines: queue.Queue[str | None] = queue.Queue()
    Thread(target=_collect, args=(output, lines), daemon=True).start()
    last = ""
    while True:
        if feedback.isCanceled():
            process.terminate()
        try:
            line = lines.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        if line is None:
            return last
        feedback.pushInfo(line)
        last = line or last


def _collect(output: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in output:
        lines.put(line.rstrip())
    lines.put(None)
