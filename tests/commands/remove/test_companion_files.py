"""The mask beside a result is the one that was used, that `cloudfree mask` writes.

The deviations are tested in test_uncertainty.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.cloudmask.user_mask import MaskReading, open_mask
from cloudfree.commands.mask import run as mask
from cloudfree.commands.mask.options import MaskOptions
from cloudfree.commands.remove import run as remove
from cloudfree.commands.remove.run import RemoveOptions, RemoveResult, run
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import FillClass, MaskClass, is_cloud_or_shadow
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError, OutputError
from cloudfree.inference.model import Arrays, Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.cloudy_scenes import cloudy_scene
from tests.factories.rasters import CLOUD, FIELD, write_radar, write_raster
from tests.factories.readiness import OneAtATime

SIZE = 160


class _Grey(OneAtATime):
    description, batch = "grey", 2

    def run(self, inputs: Arrays) -> Arrays:
        return {"image": np.full_like(inputs["optical"], 0.1)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scene of clouds and shadows with its radar, and a network that costs nothing."""
    pixels, *_ = cloudy_scene(size=SIZE, distance_m=400.0, clouds=8, seed=3)
    numbers = np.clip(np.rint(pixels * 10_000), 1, 65535).astype(np.uint16)
    numbers[:, :7, :5] = 0
    write_raster(tmp_path / "l1c.tif", numbers, OPTICAL_BANDS, nodata=0)
    write_radar(tmp_path / "s1.tif", SIZE, SIZE)
    card = read_card(find_model(DEFAULT_MODEL))
    monkeypatch.setattr(remove, "load_model", lambda *_: Model(card, _Grey()))
    return tmp_path


def _remove(folder: Path, **options: Any) -> RemoveResult:
    given = {"s1": (folder / "s1.tif",), "s2": folder / "l1c.tif", "shift": "none", **options}
    given.setdefault("fill_by", "network")
    return run(RemoveOptions(**given, write_mask=True), silent)


def _read(path: Path) -> tuple[np.ndarray, dict[str, str], Any]:
    with rasterio.open(path) as file:
        return file.read(1), file.tags(), file.colormap(1)


def test_it_equals_the_mask_of_the_command_pixel_for_pixel_and_tag_for_tag(folder: Path) -> None:
    result = _remove(folder)
    assert result.mask == folder / "l1c_cloudfree_mask.tif"
    own = mask.run(MaskOptions(scene=folder / "l1c.tif"), silent)
    used, alone = _read(result.mask), _read(own.output)
    np.testing.assert_array_equal(used[0], alone[0])
    assert used[1:] == alone[1:]
    assert {MaskClass.CLOUD, MaskClass.SHADOW, MaskClass.NODATA} <= set(np.unique(used[0]))


def test_it_says_where_pixels_are_filled(folder: Path) -> None:
    result = _remove(folder)
    assert result.mask is not None
    filled = _read(result.filled)[0] == FillClass.FILLED
    np.testing.assert_array_equal(is_cloud_or_shadow(_read(result.mask)[0]), filled)


def test_it_can_be_given_again_for_the_same_result(folder: Path) -> None:
    first = _remove(folder)
    again = _remove(folder, mask=first.mask, output=folder / "again.tif")
    assert again.mask == folder / "again_mask.tif"
    assert first.mask is not None
    for one, other in ((first.output, again.output), (first.mask, again.mask)):
        np.testing.assert_array_equal(_read_all(one), _read_all(other))
    with (
        OpticalScene(folder / "l1c.tif") as scene,
        open_mask(first.mask, scene.grid, MaskReading()) as file,
    ):
        assert file.sun is not None


def _read_all(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        pixels: np.ndarray = file.read()
    return pixels


def test_a_given_mask_is_written_as_it_was_used(folder: Path) -> None:
    given = np.zeros((1, SIZE, SIZE), np.uint8)
    given[:, 40:60, 40:60] = MaskClass.CLOUD
    path = write_raster(folder / "mine.tif", given, ["clouds"])
    result = _remove(folder, mask=path, creation_options={"COMPRESS": "LZW"})
    assert result.mask is not None
    used, tags, _ = _read(result.mask)
    np.testing.assert_array_equal(used, given[0])
    assert tags["CLASS_1"] == "cloud"
    assert "MASK_DILATE" not in tags
    with rasterio.open(result.mask) as file:
        assert file.profile["compress"] == "lzw"
    with rasterio.open(result.output) as file:
        assert file.tags()["CLOUDFREE_MASK"] == "mine.tif"
        assert file.tags()["CLOUDFREE_USED_MASK"] == "l1c_cloudfree_mask.tif"


def test_a_mask_that_exists_is_kept_unless_asked(folder: Path) -> None:
    there = folder / "l1c_cloudfree_mask.tif"
    there.write_text("mine")
    with pytest.raises(OutputError, match=r"l1c_cloudfree_mask\.tif exists already"):
        _remove(folder)
    assert there.read_text() == "mine"
    assert _remove(folder, overwrite=True).mask == there
    with pytest.raises(OutputError, match="is an input or another output"):
        _remove(folder, mask=there, overwrite=True)


def test_without_a_mask_there_is_none_to_write(folder: Path) -> None:
    with pytest.raises(InputError, match="--write-mask with --replace all; wanted a mask"):
        _remove(folder, replace="all")


def test_a_dry_run_writes_none(folder: Path) -> None:
    _remove(folder, dry_run=True)
    assert sorted(path.name for path in folder.iterdir()) == ["l1c.tif", "s1.tif"]


def test_the_command_line_says_where_it_is(folder: Path) -> None:
    words = ["remove", "--s1", str(folder / "s1.tif"), "--s2", str(folder / "l1c.tif")]
    words += ["--shift", "none", "--write-mask", "--overwrite", "-q"]
    assert "cloud mask in l1c_cloudfree_mask.tif" in CliRunner().invoke(group, words).stdout
    printed = json.loads(CliRunner().invoke(group, [*words, "--json"]).stdout)
    assert printed["mask"] == str(folder / "l1c_cloudfree_mask.tif")


def test_what_the_mask_warns_of_reaches_the_result_and_the_written_mask(folder: Path) -> None:
    roofs = np.zeros((SIZE, SIZE), dtype=bool)
    roofs[20:140:30, 20:140:30] = True
    roofs = np.kron(roofs[::10, ::10], np.ones((10, 10), dtype=bool))
    spectra = np.where(roofs, np.reshape(CLOUD, (13, 1, 1)), np.reshape(FIELD, (13, 1, 1)))
    spectra[[11, 12]] = np.where(roofs, 0.75, spectra[[11, 12]])  # brightest at 1.6 and 2.2 um
    write_raster(folder / "l1c.tif", (10_000 * spectra).astype(np.uint16), OPTICAL_BANDS)
    result = _remove(folder, detector="published")
    warning, *doubts = result.warnings
    assert "small patches over built-up or bare ground" in warning
    assert doubts == [one.message for one in result.findings]
    assert result.mask is not None
    with rasterio.open(result.mask) as mask, rasterio.open(result.output) as output:
        assert mask.tags()["CLOUDFREE_WARNINGS"] == warning
        assert output.tags()["CLOUDFREE_WARNINGS"].startswith(warning)
