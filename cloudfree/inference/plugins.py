"""Networks from outside the package: a file that the user names, or an installed package.

Either is code that runs when it is loaded. A file is loaded only where it is named, and no card or
checkpoint can name one.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from cloudfree.errors import ErrorCode, ModelError

logger = logging.getLogger("cloudfree")

Entry = dict[str, Any]

# The group of entry points under which installed packages offer modules with networks.
GROUP = "cloudfree.networks"
# The dictionary of a module that describes its networks, and the function that it needs beside it.
TABLES, INFER = "NETWORKS", "infer_settings"
# The entry that only networks of plugins have: where they come from.
PLUGIN = "plugin"

_REQUIRED = ("class", "inputs")
_DEFAULTS: Entry = {
    "paper": "none",
    "weights_license": "none stated",
    "outputs": [],
    "dates": "one",
    "multiple": 1,
    "tile": 256,
    "overlap": 64,
    "optical": {"clip": [0.0, 1.0], "scale": [0.0, 1.0]},
    "sar": {"clip": [[-25.0, 0.0], [-32.5, 0.0]], "scale": [0.0, 1.0]},
    "levels": ["L1C"],
}
_OPTIONAL = (
    "title", "stack", "output_bands", "dates_multiple", "halo_px", "bands",
    "without_sar",
)  # fmt: skip


def networks_of_file(path: Path) -> dict[str, Entry]:
    """The tables of the networks in a Python file, by their names; runs the file.

    Raises
    ------
    ModelError
        The file is missing or fails, or a table lacks an entry or has an unknown one.
    """
    if not path.is_file():
        raise ModelError(
            f"no plugin {path}",
            wanted="a Python file",
            hint="correct --plugin",
            code=ErrorCode.MISSING_FILE,
        )
    return _tables(_module_of(path.resolve()), str(path))


def networks_of_packages() -> dict[str, Entry]:
    """The tables of the networks of installed packages; one that fails is a warning."""
    found: dict[str, Entry] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        try:
            found |= _tables(point.load(), f"package {point.value}")
        except Exception as error:  # what the code of others raises
            logger.warning("networks of %s are left out: %s", point.value, error)
    return found


def _module_of(path: Path) -> ModuleType:
    """The module of a file, under a name that no other file has."""
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:8]
    name = f"cloudfree_plugin_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"plugin {path.name}", wanted="a name that ends in .py", hint="rename it")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ModelError(
            f"plugin {path.name} cannot be loaded ({type(error).__name__}: {error})",
            wanted="a Python file that runs",
            hint="correct the file",
        ) from error
    return module


def _tables(module: ModuleType, origin: str) -> dict[str, Entry]:
    tables = getattr(module, TABLES, None)
    if not isinstance(tables, Mapping) or not tables:
        raise ModelError(
            f"plugin {origin} without networks",
            wanted=f"a dictionary {TABLES} of tables by name, and a function {INFER}",
            hint="see docs/models.md",
        )
    return {name: _whole(name, table, module, origin) for name, table in tables.items()}


def _whole(name: str, table: Mapping[str, Any], module: ModuleType, origin: str) -> Entry:
    """A table with the entries that it leaves out."""
    known = {*_REQUIRED, *_DEFAULTS, *_OPTIONAL}
    missing, unknown = sorted(set(_REQUIRED) - set(table)), sorted(set(table) - known)
    if missing or unknown:
        raise ModelError(
            f"table {name!r} of plugin {origin} "
            + (f"without {missing[0]!r}" if missing else f"with unknown {unknown[0]!r}"),
            wanted=f"{', '.join(_REQUIRED)}, and of {', '.join(sorted(known - set(_REQUIRED)))}",
            hint="correct the table",
        )
    needed = {table["class"], INFER}
    if absent := sorted(one for one in needed if not callable(getattr(module, one, None))):
        raise ModelError(
            f"plugin {origin} without {absent[0]}",
            wanted=f"the class of network {name!r} and a function {INFER}(shapes)",
            hint="add it to the module",
        )
    own = {"title": name, "module": module.__name__, PLUGIN: origin}
    return {**_DEFAULTS, **own, **table}
