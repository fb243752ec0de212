"""Cloud-free Sentinel-2 scenes from a cloudy Sentinel-2 scene and a Sentinel-1 scene.

`import cloudfree` loads no library and sets nothing; what a function needs is loaded when it is
first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from cloudfree.errors import CloudfreeError, DamagedError, InputError, ModelError, OutputError

if TYPE_CHECKING:
    from cloudfree.api.arrays import cloud_mask, remove_clouds
    from cloudfree.api.paths import coregister, evaluate, load_model, mask, remove
    from cloudfree.commands.coregister.options import CoregisterResult
    from cloudfree.commands.evaluate.result import Evaluation
    from cloudfree.commands.mask.options import MaskResult
    from cloudfree.commands.remove.options import RemoveResult
    from cloudfree.core.grid import Grid
    from cloudfree.core.mask_classes import MaskClass
    from cloudfree.core.terminal import Progress
    from cloudfree.inference.model import Model

__version__ = "0.1.0"

__all__ = [
    "CloudfreeError",
    "CoregisterResult",
    "DamagedError",
    "Evaluation",
    "Grid",
    "InputError",
    "MaskClass",
    "MaskResult",
    "Model",
    "ModelError",
    "OutputError",
    "Progress",
    "RemoveResult",
    "__version__",
    "cloud_mask",
    "coregister",
    "evaluate",
    "load_model",
    "mask",
    "remove",
    "remove_clouds",
]

# Name -> the module that defines it.
_MODULES = {
    "CoregisterResult": "commands.coregister.options",
    "Evaluation": "commands.evaluate.result",
    "Grid": "core.grid",
    "MaskClass": "core.mask_classes",
    "MaskResult": "commands.mask.options",
    "Model": "inference.model",
    "Progress": "core.terminal",
    "RemoveResult": "commands.remove.options",
    "cloud_mask": "api.arrays",
    "coregister": "api.paths",
    "evaluate": "api.paths",
    "load_model": "api.paths",
    "mask": "api.paths",
    "remove": "api.paths",
    "remove_clouds": "api.arrays",
}

# Type checkers read the imports above: a function here would accept every name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
