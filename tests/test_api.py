"""The Python API: what it offers, that it equals the commands, and that its document runs."""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import rasterio

import cloudfree
from cloudfree.api import paths
from cloudfree.cloudmask.mask_plan import MaskSettings
from cloudfree.commands.coregister.run import CoregisterOptions
from cloudfree.commands.evaluate.run import EvaluateOptions
from cloudfree.commands.mask.options import MaskOptions
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.simulate import run as simulate
from cloudfree.commands.simulate.options import SimulateOptions
from cloudfree.core.mask_classes import is_cloud_or_shadow
from cloudfree.core.terminal import silent
from cloudfree.sentinel1.sar_source import open_sar_source
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.conftest import ROOT

HEAVY = {"numpy", "torch", "rasterio", "cv2", "click", "affine", "pyproj"}


def _printed(code: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    return ran.stdout


# --- the import ----------------------------------------------------------------------------------


def test_the_import_loads_no_library_and_changes_nothing() -> None:
    code = (
        "import os, sys; before = dict(os.environ)\n"
        "import cloudfree; dir(cloudfree)\n"
        "assert dict(os.environ) == before\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = set(_printed(code).split())
    assert not loaded & (HEAVY | {"ctypes"}), "nor could malloc be changed without ctypes"


def test_the_functions_set_no_variable_of_the_libraries() -> None:
    names = ("GDAL_CACHEMAX", "GDAL_NUM_THREADS", "OMP_WAIT_POLICY", "OMP_NUM_THREADS")
    code = (
        f"import os; names = {names!r}\n"
        "for name in names: os.environ.pop(name, None)\n"
        "import cloudfree; cloudfree.remove_clouds, cloudfree.mask\n"
        "import cloudfree.commands.remove.run, cloudfree.commands.evaluate.run\n"
        "print([name for name in names if name in os.environ])"
    )
    assert _printed(code) == "[]\n"


def test_the_functions_on_paths_are_there_before_torch_is() -> None:
    code = "import sys, cloudfree; cloudfree.remove; print('torch' in sys.modules)"
    assert _printed(code) == "False\n"


def test_every_name_that_is_offered_is_there_and_no_other() -> None:
    assert all(getattr(cloudfree, name) is not None for name in cloudfree.__all__)
    assert set(cloudfree.__all__) <= set(dir(cloudfree))
    with pytest.raises(AttributeError, match="has no attribute 'reconstruct'"):
        _ = cloudfree.reconstruct  # type: ignore[attr-defined]


def test_type_checkers_see_names_signatures_and_keywords(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "right.py").write_text(
        "import cloudfree\n"
        "result: cloudfree.RemoveResult = cloudfree.remove('a', 'b', tile=256, shift='none')\n"
        "masked: cloudfree.MaskResult = cloudfree.mask('a', dilate='40m')\n"
    )
    (tmp_path / "wrong.py").write_text(
        "import cloudfree\n"
        "cloudfree.mask('a', dilated='40m')\n"
        "cloudfree.remove('a', 'b', shift='off')\n"
        "cloudfree.reconstruct\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "right.py", "wrong.py"]
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    told = [line.split(":")[:2] for line in ran.stdout.splitlines() if ": error:" in line]
    assert told == [["wrong.py", "2"], ["wrong.py", "3"], ["wrong.py", "4"]], ran.stdout


# --- keywords ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "options", "arguments"),
    [
        (paths.MaskRules, MaskSettings, set()),
        (paths.MaskKeywords, MaskOptions, {"scene"}),
        (paths.CoregisterKeywords, CoregisterOptions, {"s1", "s2"}),
        (paths.RemoveKeywords, RemoveOptions, {"s1", "s2"}),
        (paths.EvaluateKeywords, EvaluateOptions, {"data", "model"}),
    ],
    ids=["rules", "mask", "coregister", "remove", "evaluate"],
)
def test_keywords_are_the_options_of_the_command(
    keywords: type, options: Any, arguments: set[str]
) -> None:
    hints = get_type_hints(keywords)
    fields = {field.name: field for field in dataclasses.fields(options)}
    assert hints.keys() | arguments == fields.keys()
    assert not hints.keys() & arguments
    files = {name for name, hint in hints.items() if "PathLike" in str(hint)} - {"model"}
    assert files == {name for name in hints if "Path" in str(fields[name].type)}
    assert files <= paths._FILES


def test_a_keyword_that_is_not_known_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword 'dilated'; known are creation_options"):
        cloudfree.mask("a.tif", dilated="40m")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: cloudfree.remove("a", "b", shift="off"), "shift='off'; wanted one of auto, none;"),
        (lambda: cloudfree.evaluate("a", "b", split="half"), "split='half'; wanted one of test, v"),
    ],
    ids=["choice", "choice or none"],
)
def test_a_value_that_is_none_of_the_choices_is_refused(call: Any, told: str) -> None:
    with pytest.raises(cloudfree.InputError) as error:
        call()
    assert str(error.value).startswith(told)


# --- the same as the commands --------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated scene with its radar."""
    folder = tmp_path_factory.mktemp("api")
    simulate.run(SimulateOptions(folder, size=160, seed=5), silent)
    return folder


@dataclasses.dataclass(frozen=True)
class _Arrays:
    optical: np.ndarray
    sar: np.ndarray
    bands: tuple[str, ...]
    grid: cloudfree.Grid
    azimuth: float | None


@pytest.fixture(scope="module")
def arrays(folder: Path) -> _Arrays:
    """The same scene in memory."""
    with OpticalScene(folder / "s2_cloudy.tif") as scene, open_sar_source(folder / "s1.tif") as sar:
        window = scene.grid.window
        return _Arrays(
            scene.reflectance(scene.bands, window),
            sar.on_grid(scene.grid, window),
            scene.bands,
            scene.grid,
            scene.sun_azimuth_deg,
        )


def _numbers(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


def test_a_mask_of_arrays_is_that_of_the_command(folder: Path, arrays: _Arrays) -> None:
    scene, output = folder / "s2_cloudy.tif", folder / "mask.tif"
    result = cloudfree.mask(scene, output=output, thorough=True, dilate="40m", overwrite=True)
    found = cloudfree.cloud_mask(
        arrays.optical, arrays.bands, grid=arrays.grid, sun_azimuth_deg=arrays.azimuth,
        thorough=True, dilate="40m",
    )  # fmt: skip
    assert found.dtype == np.uint8
    assert np.array_equal(found, _numbers(output)[0])
    assert result.fractions["cloud"] > 0.1


@pytest.mark.parametrize("tile", [None, 96], ids=["one tile", "tiles"])
def test_clouds_removed_from_arrays_are_those_of_the_command(
    folder: Path, arrays: _Arrays, tile: int | None
) -> None:
    scene, output = folder / "s2_cloudy.tif", folder / f"clear_{tile}.tif"
    mask = cloudfree.mask(scene, output=folder / "own.tif", dilate="40m", overwrite=True).output
    result = cloudfree.remove(
        folder / "s1.tif", scene, mask=mask, output=output, shift="none", tile=tile,
        uncertainty=True, device="cpu",
    )  # fmt: skip
    assert result.restored is not None and 0.1 < result.restored < 0.9
    assert result.uncertainty is not None
    classes = _numbers(mask)[0]
    clear, deviation = cloudfree.remove_clouds(
        arrays.optical, arrays.sar, classes, cloudfree.load_model("cloudfree-s", device="cpu"),
        bands=arrays.bands, tile=tile, uncertainty=True,
    )  # fmt: skip
    with OpticalScene(scene) as opened:
        assert np.array_equal(opened.radiometry.encode(clear), _numbers(output))
    filled = _numbers(result.filled)[0] == 1
    assert np.array_equal(np.isfinite(deviation).all(axis=0), filled)
    assert np.array_equal(clear[:, ~filled], arrays.optical[:, ~filled])
    told = np.rint(deviation[:, filled] * 10_000)
    assert np.array_equal(told, _numbers(result.uncertainty)[:, filled])


def test_a_scene_with_pixels_missing_is_masked_and_filled_as_the_command_does(
    folder: Path, arrays: _Arrays
) -> None:
    scene = folder / "holes.tif"
    with rasterio.open(folder / "s2_cloudy.tif") as whole:
        numbers = whole.read()
        numbers[:, :30, 100:] = 0
        with rasterio.open(scene, "w", **{**whole.profile, "driver": "GTiff"}) as file:
            file.write(numbers)
            file.descriptions = whole.descriptions
            file.update_tags(**whole.tags())
    result = cloudfree.remove(folder / "s1.tif", scene, shift="none", device="cpu")
    optical = arrays.optical.copy()
    optical[:, :30, 100:] = np.nan
    classes = cloudfree.cloud_mask(
        optical, arrays.bands, grid=arrays.grid, sun_azimuth_deg=arrays.azimuth, thorough=True,
        dilate="40m",
    )  # fmt: skip
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    clear = cloudfree.remove_clouds(optical, arrays.sar, classes, model, bands=arrays.bands)
    assert np.isnan(clear[:, :30, 100:]).all()
    with OpticalScene(scene) as opened:
        assert np.array_equal(opened.radiometry.encode(clear), _numbers(result.output))


def test_without_a_mask_every_pixel_is_filled(arrays: _Arrays) -> None:
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    _, deviation = cloudfree.remove_clouds(
        arrays.optical, arrays.sar, None, model, bands=arrays.bands, uncertainty=True
    )
    assert deviation.shape == arrays.optical.shape
    assert np.isfinite(deviation).all()


def test_bands_may_come_in_any_order(arrays: _Arrays, folder: Path) -> None:
    classes = np.zeros(arrays.optical.shape[1:], np.uint8)
    classes[40:90, 30:100] = cloudfree.MaskClass.CLOUD
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    one = cloudfree.remove_clouds(arrays.optical, arrays.sar, classes, model, bands=arrays.bands)
    other = cloudfree.remove_clouds(
        arrays.optical[::-1], arrays.sar, classes, model, bands=arrays.bands[::-1]
    )
    assert np.array_equal(one, other[::-1])
    assert is_cloud_or_shadow(classes).any()
    assert (one != arrays.optical).any(axis=0).sum() > 1000


def test_clouds_without_sentinel_1_stay_and_are_told_of(
    arrays: _Arrays, caplog: pytest.LogCaptureFixture
) -> None:
    classes = np.ones(arrays.optical.shape[1:], np.uint8)
    sar = arrays.sar.copy()
    sar[:, 80:] = np.nan
    model = cloudfree.load_model("cloudfree-s", device="cpu")
    with caplog.at_level(logging.WARNING, "cloudfree"):
        clear = cloudfree.remove_clouds(arrays.optical, sar, classes, model, bands=arrays.bands)
    assert np.array_equal(clear[:, 80:], arrays.optical[:, 80:])
    assert (clear[:, :80] != arrays.optical[:, :80]).any()
    assert "50.0% of the clouds have no Sentinel-1 and stay" in caplog.text


def test_a_scene_is_scored_by_paths(folder: Path) -> None:
    found = cloudfree.evaluate(folder, ["cloudfree-s"], patch=160, device="cpu", limit=1)
    assert {row.method for row in found.of_kind("pixels")} == {
        "do nothing", "cloudfree-s, raw", "cloudfree-s, written",
    }  # fmt: skip


def test_progress_is_a_callback(folder: Path) -> None:
    seen: dict[str, int] = {}

    def count(steps: Iterable[Any], total: int, what: str, unit: str = "step") -> Iterator[Any]:
        seen[what] = total
        yield from steps

    cloudfree.mask(folder / "s2_cloudy.tif", output=folder / "count.tif", progress=count)
    assert seen == {"shadow statistics": 3, "cloud mask": 3}


# --- arrays that do not fit ----------------------------------------------------------------------

BANDS = ("B02", "B03")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: cloudfree.cloud_mask(np.ones((2, 8, 8), np.uint16), BANDS),
         "uint16 numbers in the optical array; wanted reflectance as floats, 0-1;"),
        (lambda: cloudfree.cloud_mask(np.ones((3, 8, 8)), BANDS),
         "an optical array of shape (3, 8, 8) for 2 bands; wanted (band, y, x);"),
        (lambda: cloudfree.cloud_mask(np.ones((2, 8, 8)), BANDS), "no band B0"),
        (lambda: cloudfree.cloud_mask(np.full((2, 8, 8), np.nan), BANDS), "no valid pixel in the"),
        (lambda: _removed(sar=None), "no SAR array; wanted VV and VH in dB"),
        (lambda: _removed(sar=np.ones((2, 8, 9))), "a SAR array of shape (2, 8, 9); wanted VV and"),
        (lambda: _removed(mask=np.ones((9, 8))), "a mask of shape (9, 8); wanted one class a pix"),
        (lambda: _removed(mask=np.full((8, 8), 9)), "9 in the mask; wanted classes: 0 clear, 1 c"),
        (lambda: _removed(overlap=900), "an overlap of 900 pixels for tiles of"),
        (lambda: _removed(model="none"), "no model 'none'; wanted one of"),
    ],
    ids=["integers", "bands", "no band", "no pixel", "no radar", "radar", "mask shape", "class",
         "overlap", "model"],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(call: Any, told: str) -> None:
    with pytest.raises(cloudfree.CloudfreeError) as error:
        call()
    assert str(error.value).startswith(told)


def _removed(**changed: Any) -> np.ndarray:
    given = {"optical": np.ones((13, 8, 8)), "sar": np.ones((2, 8, 8)), "mask": None, **changed}
    return cloudfree.remove_clouds(**given)


# --- the document --------------------------------------------------------------------------------


def test_the_examples_of_the_document_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(sh|python)\n(.*?)```", document, flags=re.DOTALL)
    script = "\n".join(text for language, text in blocks if language == "python")
    simulated = "\n".join(text for language, text in blocks if language == "sh")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for words in (["bash", "-euc", simulated], [sys.executable, "-c", script]):
        ran = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
    assert "s2_cloudy_mask.tif exists already" in ran.stdout
    assert "cloud mask: 100%" in ran.stderr
    assert (tmp_path / "play" / "clear_uncertainty.tif").exists()
    rows = re.findall(r"^\| `(\w+)\(", document, flags=re.MULTILINE)
    assert {*rows, "cloud_mask", "remove_clouds"} == {
        name for name in cloudfree.__all__ if name.islower() and not name.startswith("_")
    }
