"""`cloudfree info`: a product, or without one the installation."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from cloudfree import __version__
from cloudfree.commands.info.product import OpticalInfo, RadarInfo, product
from cloudfree.commands.options import PluginOptions, ReachOptions
from cloudfree.core.terminal import Progress, text_table
from cloudfree.errors import CloudfreeError
from cloudfree.inference.model_store import (
    checked_weights,
    find_model,
    model_names,
    read_card,
)
from cloudfree.inference.registry import DEFAULT_MODEL, load_plugins
from cloudfree.raster import gdal
from cloudfree.raster.reach import remote_allowed


@dataclass(frozen=True)
class InfoOptions(PluginOptions, ReachOptions):
    """The options of `cloudfree info`; names equal its parameters."""

    path: Path | None = None
    s2_offset: float | None = None


def run(options: InfoOptions, progress: Progress) -> OpticalInfo | RadarInfo | InstallationResult:
    """Describe the product, or check the installation.

    Raises
    ------
    InputError
        The path holds no Sentinel product.
    """
    del progress
    load_plugins(options.plugin)
    if options.path is None:
        return installation()
    with remote_allowed(options.allow_remote):
        return product(options.path, options.s2_offset)


PACKAGES = ("numpy", "rasterio", "pyproj", "shapely", "opencv-python-headless", "torch",
            "safetensors", "h5py", "onnx", "onnxscript", "pystac-core")  # fmt: skip
# They share one folder: the one installed last overwrites the other, and the GPU may be lost.
RUNTIME_PACKAGES = ("onnxruntime", "onnxruntime-gpu")


@dataclass(frozen=True)
class Problem:
    """A problem and its solution."""

    found: str
    mend: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.found}: {self.mend}"


@dataclass(frozen=True)
class InstallationResult:
    """What is installed; `problems` is empty if all is in order."""

    version: str
    python: str
    packages: dict[str, str | None]
    gdal: str
    drivers: dict[str, bool]
    devices: tuple[str, ...]
    providers: tuple[str, ...]
    models: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def exit_code(self) -> int:
        """1 if there are problems, else 0."""
        return 1 if self.problems else 0

    def summary(self) -> str:
        """A table, and the problems or OK."""
        drivers = [name for name, there in self.drivers.items() if there]
        rows = [
            ("cloudfree", f"{self.version}, Python {self.python}"),
            *((name, found or "not installed") for name, found in self.packages.items()),
            ("GDAL", f"{self.gdal}, drivers {', '.join(drivers)}"),
            ("devices", ", ".join(self.devices)),
            ("ONNX Runtime", ", ".join(self.providers) or "no provider"),
            ("models", ", ".join(self.models) or "none"),
        ]
        problems = [f"wrong: {problem}" for problem in self.problems] or ["OK"]
        return "\n".join([text_table(rows[0], rows[1:]), *problems])


def installation() -> InstallationResult:
    """Check what is installed."""
    from cloudfree.inference.onnx_runtime import available_providers
    from cloudfree.inference.torch_runtime import devices

    packages = {name: _version(name) for name in (*PACKAGES, *_runtime_packages())}
    found_drivers, models = gdal.drivers(), tuple(model_names())
    return InstallationResult(
        version=__version__,
        python=f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        packages=packages,
        gdal=gdal.version(),
        drivers=found_drivers,
        devices=devices(),
        providers=available_providers(),
        models=models,
        problems=tuple(_problems(packages, found_drivers, models)),
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _runtime_packages() -> list[str]:
    """The packages of ONNX Runtime that are installed, under their own names."""
    names = {str(found.metadata["Name"]).lower() for found in distributions()}
    return sorted(name for name in names if name.startswith(RUNTIME_PACKAGES[0]))


def _problems(
    packages: dict[str, str | None], found_drivers: dict[str, bool], models: tuple[str, ...]
) -> Iterator[Problem]:
    for name, found in packages.items():
        if found is None:
            yield Problem(f"{name} is not installed", "pip install --force-reinstall cloudfree")
    runtimes = [name for name in packages if name.startswith(RUNTIME_PACKAGES[0])]
    if len(runtimes) != 1:
        yield _wrong_runtimes(runtimes, _wanted_runtime(packages["torch"] or ""))
    for name, there in found_drivers.items():
        if not there:
            yield Problem(
                f"GDAL has no driver {name}", "install the wheel of rasterio, or a GDAL that has it"
            )
    yield from _broken_models(models)


def _wrong_runtimes(found: list[str], wanted: str) -> Problem:
    if not found:
        return Problem("ONNX Runtime is not installed", f"pip install {wanted}")
    return Problem(
        f"{' and '.join(found)} share one folder and overwrite each other",
        f"pip uninstall -y {' '.join(found)} && pip install {wanted}",
    )


def _wanted_runtime(torch: str) -> str:
    """As in the package's own requirements: the GPU wheel where there is one and torch takes it.

    PyTorch names builds in the local part of the version, as in 2.13.0+cpu.
    """
    if torch.endswith("+cpu"):
        return RUNTIME_PACKAGES[0]
    gpu = sys.platform == "win32" or (sys.platform == "linux" and platform.machine() == "x86_64")
    return RUNTIME_PACKAGES[1] if gpu else RUNTIME_PACKAGES[0]


def _broken_models(models: tuple[str, ...]) -> Iterator[Problem]:
    if DEFAULT_MODEL not in models:
        yield Problem(
            f"the default model {DEFAULT_MODEL} is not found",
            "reinstall cloudfree, or set CLOUDFREE_MODELS to the folder that holds it",
        )
    for name in models:
        try:
            card = read_card(find_model(name))
            checked_weights(find_model(name) / card.weights, card)
        except CloudfreeError as error:
            yield Problem(f"model {name} is broken ({error})", "fetch the model anew")
