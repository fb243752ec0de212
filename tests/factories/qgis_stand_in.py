"""Stand-ins for the classes of `qgis.core` that a script of the toolbox uses: values, no QGIS."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

ADVANCED = 2
TEMPORARY = "TEMPORARY_OUTPUT"


class Parameter:
    """A parameter with its name, its arguments, and flags."""

    FlagAdvanced = ADVANCED

    def __init__(self, name: str, label: str, *given: Any, **more: Any) -> None:
        self.name, self.label, self.given, self.more = name, label, given, more
        self._flags = 0

    @property
    def default(self) -> Any:
        return self.more.get("defaultValue")

    def flags(self) -> int:
        return self._flags

    def setFlags(self, flags: int) -> None:  # noqa: N802
        self._flags = flags


class Algorithm:
    """Declared parameters and outputs, and values as QGIS would give them."""

    def __init__(self) -> None:
        self.declared: dict[str, Parameter] = {}
        self.outputs: dict[str, Parameter] = {}

    def addParameter(self, parameter: Parameter) -> None:  # noqa: N802
        assert parameter.name not in self.declared
        self.declared[parameter.name] = parameter

    def addOutput(self, output: Parameter) -> None:  # noqa: N802
        self.outputs[output.name] = output

    def _value(self, parameters: dict[str, Any], name: str) -> Any:
        return parameters.get(name, self.declared[name].default)

    def _text(self, parameters: dict[str, Any], name: str, _: Any) -> str:
        return str(self._value(parameters, name) or "")

    parameterAsString = parameterAsFile = _text  # noqa: N815

    def parameterAsOutputLayer(self, parameters: dict[str, Any], name: str, _: Any) -> str:  # noqa: N802
        """The path that is given, or for a temporary layer another one each time, as in QGIS."""
        path = str(parameters[name])
        return path if path != TEMPORARY else f"{tempfile.mkdtemp()}/{name}.tif"

    def parameterAsFileList(self, parameters: dict[str, Any], name: str, _: Any) -> list[str]:  # noqa: N802
        """The files; of none a list with one empty name, as in QGIS 3.22."""
        return list(map(str, self._value(parameters, name) or [""]))

    def parameterAsEnum(self, parameters: dict[str, Any], name: str, _: Any) -> int:  # noqa: N802
        return int(self._value(parameters, name))

    def parameterAsBoolean(self, parameters: dict[str, Any], name: str, _: Any) -> bool:  # noqa: N802
        return bool(self._value(parameters, name))


@dataclass
class Feedback:
    """What a run says; it is cancelled from the `cancel_at`-th question on."""

    cancel_at: int | None = None
    lines: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    asked: int = 0

    def pushInfo(self, line: str) -> None:  # noqa: N802
        self.lines.append(line)

    def pushCommandInfo(self, line: str) -> None:  # noqa: N802
        self.commands.append(line)

    def isCanceled(self) -> bool:  # noqa: N802
        self.asked += 1
        return self.cancel_at is not None and self.asked >= self.cancel_at


class ProcessingError(Exception):
    """What QGIS shows in red."""


PARAMETERS = (
    "QgsProcessingOutputRasterLayer", "QgsProcessingParameterBoolean",
    "QgsProcessingParameterDefinition", "QgsProcessingParameterEnum", "QgsProcessingParameterFile",
    "QgsProcessingParameterMultipleLayers", "QgsProcessingParameterRasterDestination",
    "QgsProcessingParameterString",
)  # fmt: skip


def modules() -> dict[str, ModuleType]:
    """The stand-ins by module name, for `sys.modules`."""
    package, core = ModuleType("qgis"), ModuleType("qgis.core")
    names: dict[str, Any] = dict.fromkeys(PARAMETERS, Parameter)
    names["QgsProcessing"] = type("QgsProcessing", (), {"TypeFile": 4})
    names["QgsProcessingAlgorithm"] = Algorithm
    names["QgsProcessingException"] = ProcessingError
    vars(core).update(names)
    return {"qgis": package, "qgis.core": core}
