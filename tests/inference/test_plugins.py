"""Networks from outside the package: of a file, and of an installed package."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cloudfree.errors import ModelError
from cloudfree.inference.plugins import networks_of_file, networks_of_packages
from tests.factories.plugin_network import write_plugin

WHOLE = "class A: pass\ndef infer_settings(shapes): return None\n"


def _file(folder: Path, text: str) -> Path:
    path = folder / "own.py"
    path.write_text(text)
    return path


def test_a_table_is_completed(tmp_path: Path) -> None:
    path = write_plugin(tmp_path)
    entry = networks_of_file(path)["brighten"]
    assert (entry["title"], entry["class"], entry["plugin"]) == ("brighten", "Brighten", str(path))
    assert (entry["multiple"], entry["halo_px"]) == (2, 0), "as the file says"
    assert (entry["levels"], entry["dates"], entry["outputs"]) == (["L1C"], "one", [])
    assert entry["weights_license"] == "none stated"


def test_a_file_is_run_once(tmp_path: Path) -> None:
    once = f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch(exist_ok=False)\n"
    table = "NETWORKS = {'a': {'class': 'A', 'inputs': ['optical']}}"
    path = _file(tmp_path, f"{WHOLE}{once}{table}")
    assert networks_of_file(path) == networks_of_file(path)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", r"plugin .*own\.py without networks; wanted a dictionary NETWORKS"),
        ("1 / 0", r"plugin own\.py cannot be loaded \(ZeroDivisionError"),
        ("import nothing_like_it", r"cannot be loaded \(ModuleNotFoundError"),
        (f"{WHOLE}NETWORKS = {{'a': {{'class': 'A'}}}}", "table 'a' .* without 'inputs'"),
        (
            f"{WHOLE}NETWORKS = {{'a': {{'class': 'A', 'inputs': [], 'size': 1}}}}",
            "table 'a' .* with unknown 'size'; wanted class, inputs, and of bands, ",
        ),
        (f"{WHOLE}NETWORKS = {{'a': {{'class': 'B', 'inputs': []}}}}", "without B; wanted"),
        (
            "class A: pass\nNETWORKS = {'a': {'class': 'A', 'inputs': []}}",
            r"without infer_settings; wanted the class of network 'a' and a function",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        networks_of_file(_file(tmp_path, text))


def test_a_file_that_is_missing_or_no_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no plugin .*own\.py; wanted a Python file"):
        networks_of_file(tmp_path / "own.py")
    (tmp_path / "own.txt").touch()
    with pytest.raises(ModelError, match=r"plugin own\.txt; wanted a name that ends in \.py"):
        networks_of_file(tmp_path / "own.txt")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with the package of a plugin, as pip installs it."""
    monkeypatch.syspath_prepend(tmp_path)
    write_plugin(tmp_path, "outside")
    _install(tmp_path, "outside")
    yield tmp_path
    sys.modules.pop("outside", None)


def _install(folder: Path, module: str) -> None:
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[cloudfree.networks]\n{module} = {module}\n")


def test_an_installed_package_offers_its_networks(packages: Path) -> None:
    entry = networks_of_packages()["outside"]
    assert (entry["module"], entry["plugin"]) == ("outside", "package outside")


def test_a_package_that_fails_is_a_warning(
    packages: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (packages / "broken.py").write_text("1 / 0")
    _install(packages, "broken")
    assert list(networks_of_packages()) == ["outside"]
    assert "networks of broken are left out: division by zero" in caplog.text
