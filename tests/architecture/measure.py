"""Measure the structure of the package: `python -m tests.architecture.measure [REVISION ...]`.

Prints one column for each revision named and one for the working tree. Nothing is run but, for the
path of a scene, one `cloudfree remove` on a small simulated scene. `--list` prints the modules
without a test of their name instead.
"""

from __future__ import annotations

import argparse
import ast
import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Entry modules of each feature, under every name they have had; what only they import is
# part of the feature too.
FEATURES = {
    "adaptation": ("pipelines.adapt", "commands.remove.adapt"),
    "uncertainty": (
        "pipelines.uncertainty", "pipelines.uncertainty_file", "pipelines.evaluate_uncertainty",
        "metrics.calibration", "inference.uncertainty", "commands.remove.uncertainty",
        "commands.remove.companion_files", "commands.evaluate.calibration",
    ),
}  # fmt: skip
LONGEST_FUNCTION = 45


@dataclass(frozen=True)
class Structure:
    """The source of the package below a folder."""

    root: Path

    @cached_property
    def trees(self) -> Mapping[str, tuple[int, ast.Module]]:
        """Lines and syntax tree of each module, by its dotted name below the package."""
        found = {}
        for path in sorted((self.root / "cloudfree").rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            name = ".".join(path.relative_to(self.root / "cloudfree").with_suffix("").parts)
            found[name.removesuffix(".__init__")] = (len(text.splitlines()), ast.parse(text))
        return found

    @cached_property
    def importers(self) -> Mapping[str, set[str]]:
        """The modules that import each module."""
        found: dict[str, set[str]] = defaultdict(set)
        for module, (_, tree) in self.trees.items():
            for name in _imported(tree):
                if name in self.trees and name != module:
                    found[name].add(module)
        return found

    @cached_property
    def functions(self) -> list[int]:
        """Lines of every function, from its first decorator or `def` to its end."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return [
            (node.end_lineno or 0) - node.lineno + 1
            for _, tree in self.trees.values()
            for node in ast.walk(tree)
            if isinstance(node, kinds)
        ]

    def feature(self, name: str) -> set[str]:
        """The modules of a feature: where it begins, and what nothing else imports."""
        starts = FEATURES[name]
        inside = {m for m in self.trees if any(m == s or m.startswith(f"{s}.") for s in starts)}
        while more := {
            module for module, by in self.importers.items() if by <= inside and module not in inside
        }:
            inside |= more
        return inside

    def untested(self) -> list[str]:
        """Modules without a test of their name: room/x.py is tested by tests/room/test_x.py.

        The `__init__.py` of a room is tested by tests/room/test_init.py.
        """
        tests = {path.relative_to(self.root) for path in (self.root / "tests").rglob("test_*.py")}
        return [
            module
            for module, (lines, _) in self.trees.items()
            if lines > 12 and not tests & {_test_of(module), _test_of(f"{module}.__init__")}
        ]


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cloudfree"):
            inside = (node.module or "").removeprefix("cloudfree").removeprefix(".")
            yield inside
            yield from (f"{inside}.{alias.name}".removeprefix(".") for alias in node.names)


def _test_of(module: str) -> Path:
    *rooms, name = module.split(".")
    return Path("tests", *rooms, f"test_{name.strip('_')}.py")


def _scene_path(root: Path) -> str:
    """Modules that a scene is handed to in one `remove`, and how often it changes between two."""
    code = Path(__file__).with_name("scene_path.py").read_text(encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=_environment(root), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    return ran.stdout.strip().splitlines()[-1] if ran.returncode == 0 else "not measured"


def _environment(root: Path) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(root)}


def measure(root: Path) -> dict[str, str]:
    """The figures of the package in one folder."""
    structure = Structure(root)
    lines = [count for count, _ in structure.trees.values()]
    functions = structure.functions
    figures = {
        "files": str(len(lines)),
        "lines": str(sum(lines)),
        "median file": f"{statistics.median(lines):g}",
        "largest file": str(max(lines)),
        "median function": f"{statistics.median(functions):g}",
        "95 % of functions up to": f"{statistics.quantiles(functions, n=20)[-1]:g}",
        f"functions over {LONGEST_FUNCTION} lines": str(
            sum(length > LONGEST_FUNCTION for length in functions)
        ),
        "modules with one importer": str(sum(len(by) == 1 for by in structure.importers.values())),
        "modules without a test of their name": str(len(structure.untested())),
    }
    for name in FEATURES:
        modules = structure.feature(name)
        packages = {module.split(".")[0] for module in modules}
        figures[name] = f"{len(modules)} files, {len(packages)} packages"
    figures["a scene's way through remove"] = _scene_path(root)
    return figures


def _at(revision: str, folder: Path) -> Path:
    """The files of a revision, laid into a folder."""
    packed = subprocess.run(
        ["git", "archive", revision], cwd=ROOT, capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def main(revisions: list[str]) -> None:
    """Print a Markdown table, a column for each revision and one for the working tree."""
    columns = {}
    for revision in revisions:
        with tempfile.TemporaryDirectory() as folder:
            columns[revision] = measure(_at(revision, Path(folder)))
    columns["now"] = measure(ROOT)
    print("|  |" + "|".join(f" {name} " for name in columns) + "|")
    print("|---|" + "---|" * len(columns))
    for row in columns["now"]:
        print(f"| {row} |" + "|".join(f" {figures[row]} " for figures in columns.values()) + "|")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("revisions", nargs="*", metavar="REVISION")
    parser.add_argument("--list", action="store_true", help="modules without a test of their name")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(Structure(ROOT).untested()))
    else:
        main(arguments.revisions)
