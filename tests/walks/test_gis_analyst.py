"""A GIS analyst: a scene from a service, a mask to look at, a result for the map, a page to send.

Follows docs/first-scene.md, docs/l2a.md, docs/mask.md and docs/qgis.md on real scenes.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
from rasterio import DatasetReader

from cloudfree.core.mask_classes import is_filled
from tests.walks.commands import command, succeed

# Tanzania, a dry river and fields: L2A and L1C of twelve and thirteen bands, radar of one date.
PLACE = "38D_378R_2_3"


def _placed(dataset: DatasetReader) -> tuple[object, ...]:
    """What puts a raster on the map, and what says what its numbers are."""
    return (
        dataset.crs, dataset.transform, dataset.shape, dataset.dtypes, dataset.descriptions,
        dataset.nodata,
    )  # fmt: skip


def _pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


@pytest.fixture(scope="module")
def clouded(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the real L2A scene under drawn clouds, and its truth."""
    folder = tmp_path_factory.mktemp("place")
    clear = data / "terramesh" / f"{PLACE}_l2a.tif"
    succeed("simulate {} --over {} --cloud-cover 0.3 --seed 3", folder, clear)
    return folder


def test_info_says_what_the_scenes_are_and_that_they_can_be_filled(
    data: Path, clouded: Path
) -> None:
    optical = succeed("info {}", clouded / "s2_cloudy.tif").stdout
    assert "level    L2A" in optical
    assert "224 x 224 pixels of 10 m" in optical
    assert "UTM zone 36S" in optical
    assert re.search(
        "^remove   yes, with cloudfree-s and a Sentinel-1 scene", optical, re.MULTILINE
    )
    radar = succeed("info {}", data / "terramesh" / f"{PLACE}_s1.tif").stdout
    assert "bands    VV, VH" in radar
    assert "serves as --s1" in radar


def test_an_l2a_scene_is_masked_filled_styled_and_shown(
    data: Path, clouded: Path, tmp_path: Path
) -> None:
    scene, radar = clouded / "s2_cloudy.tif", data / "terramesh" / f"{PLACE}_s1.tif"
    mask, clear, page = tmp_path / "mask.tif", tmp_path / "clear.tif", tmp_path / "page.html"
    masked = succeed("mask {} -o {} --qml", scene, mask)
    assert re.search(r"clear \d+\.\d%, cloud \d+\.\d%, shadow", masked.stdout)
    line = "remove --s1 {} --s2 {} --mask {} --qml --uncertainty --report {} -o {} --device cpu"
    done = succeed(line, radar, scene, mask, page, clear)
    assert "of the pixels filled" in done.stdout

    with rasterio.open(scene) as before, rasterio.open(clear) as after:
        assert _placed(before) == _placed(after), "it lies where the scene lies"
    filled = is_filled(_pixels(tmp_path / "clear_filled.tif")[0])
    assert 0.2 < filled.mean() < 0.5
    old, new, truth = (_pixels(path) for path in (scene, clear, clouded / "s2_clear.tif"))
    np.testing.assert_array_equal(new[:, ~filled], old[:, ~filled])
    left, found = (
        np.abs(image[:, filled].astype(float) - truth[:, filled]).mean() for image in (old, new)
    )
    assert found < left / 3

    for name in ("mask", "clear", "clear_filled", "clear_uncertainty"):
        assert ElementTree.parse(tmp_path / f"{name}.qml").find("pipe/rasterrenderer") is not None
    html = page.read_text(encoding="utf-8")
    assert "data:image" in html
    assert not re.search(r'(src|href)="https?:', html), "it can be sent by mail"


def test_a_second_run_does_not_replace_what_is_on_the_map(
    data: Path, clouded: Path, tmp_path: Path
) -> None:
    scene, radar = clouded / "s2_cloudy.tif", data / "terramesh" / f"{PLACE}_s1.tif"
    out = tmp_path / "clear.tif"
    out.write_text("mine")
    done = command("remove --s1 {} --s2 {} -o {}", radar, scene, out)
    assert done.exit_code == 1
    assert re.search("exists already.*--overwrite", done.stderr)
    assert out.read_text() == "mine"


def test_radar_and_scene_the_wrong_way_round_are_told_apart(data: Path, clouded: Path) -> None:
    radar = data / "terramesh" / f"{PLACE}_s1.tif"
    done = command("remove --s1 {} --s2 {}", clouded / "s2_cloudy.tif", radar)
    assert done.exit_code == 1
    assert "these look swapped" in done.stderr


def test_a_scene_that_does_not_state_its_offset_is_filled_once_it_is_given(
    data: Path, tmp_path: Path
) -> None:
    """Chile: an export of 2022, bright all over, whose numbers do not show the offset."""
    scene, radar = (data / "terramesh" / f"433D_629L_3_1_{kind}.tif" for kind in ("l2a", "s1"))
    refused = command("remove --s1 {} --s2 {} -o {}", radar, scene, tmp_path / "a.tif")
    assert refused.exit_code == 1
    assert "--s2-offset" in refused.stderr
    line = "remove --s1 {} --s2 {} --s2-offset -1000 --device cpu -o {}"
    succeed(line, radar, scene, tmp_path / "a.tif")
    assert (tmp_path / "a.tif").exists()
