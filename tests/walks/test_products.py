"""Products as they are downloaded, through the commands."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.commands.remove import run as remove
from cloudfree.commands.remove.inputs import check_level, warn_of_level
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import FillClass
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.inference.model import Arrays, Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import CLOUD, write_radar
from tests.factories.readiness import OneAtATime
from tests.factories.sentinel2_products import (
    RESOLUTION_M,
    Numbers,
    Safe,
    ground,
    write_safe,
    write_zip,
)

ALL = Window(0, 0, 48, 48)
ANSWER = 0.1234


def _cloudy() -> Numbers:
    """The ground with a cloud over its middle, as wide as 60 m pixels allow."""
    numbers = ground()
    for band, level in zip(OPTICAL_BANDS, CLOUD, strict=True):
        pixel = RESOLUTION_M[band]
        middle = slice(120 // pixel, 360 // pixel)
        numbers[band][middle, middle] = round(10_000 * level)
    return numbers


class _Known(OneAtATime):
    description, batch = "known", 2

    def run(self, inputs: Arrays) -> Arrays:
        return {"image": np.full_like(inputs["optical"], ANSWER)}


@pytest.mark.parametrize("baseline", ["02.14", "05.11"])
@pytest.mark.parametrize("level", ["L1C", "L2A"])
def test_the_mask_of_a_product_lies_beside_it(tmp_path: Path, level: str, baseline: str) -> None:
    safe = Safe(level, baseline, _cloudy())
    path = write_safe(tmp_path, safe)
    words = ["mask", str(path / f"MTD_MSI{level}.xml"), "--no-shadow", "--no-sensitive"]
    done = CliRunner().invoke(group, [*words, "--dilate", "0", "--detector", "published"])
    assert done.exit_code == 0, done.output
    with rasterio.open(tmp_path / f"{safe.name}_mask.tif") as dataset:
        mask = dataset.read(1)
    assert (mask[15:33, 15:33] == 1).all()
    assert (mask[:6] == 0).all()
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        [path.name, f"{safe.name}_mask.tif"]
    )


def test_a_sub_dataset_reaches_the_command(tmp_path: Path) -> None:
    path = write_safe(tmp_path, Safe())
    name = f"SENTINEL2_L1C:{path}/MTD_MSIL1C.xml:10m:EPSG_32631"
    done = CliRunner().invoke(group, ["mask", name])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(group, ["mask", name, "--detector", "published", "--overwrite"])
    assert "no band B01, B11" in done.stderr


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    card = read_card(find_model(DEFAULT_MODEL))
    monkeypatch.setattr(remove, "load_model", lambda *_: Model(card, _Known()))


@pytest.mark.parametrize("baseline", ["02.14", "04.00"])
def test_a_filled_product_keeps_its_convention(tmp_path: Path, known: None, baseline: str) -> None:
    """Clear pixels keep their numbers and filled ones get the offset back in."""
    safe = Safe("L1C", baseline, _cloudy())
    path, radar = write_zip(tmp_path, safe), write_radar(tmp_path / "s1.tif", 48, 48)
    options = remove.RemoveOptions(
        s2=path, s1=(radar,), shift="none", dilate="0", detector="published", fill_by="network"
    )
    result = remove.run(options, silent)
    assert result.output == tmp_path / f"{safe.name}_cloudfree.tif"
    with OpticalScene(path) as before, OpticalScene(result.output) as after:
        old, new = before.native(ALL), after.native(ALL)
        assert after.offset.offset_dn == before.offset.offset_dn
        assert (after.level, after.acquisition) == ("L1C", before.acquisition)
        assert after.reflectance(["B02"], ALL)[0, 24, 24] == pytest.approx(ANSWER, abs=1e-4)
    with rasterio.open(result.filled) as dataset:
        original = dataset.read(1) == FillClass.ORIGINAL
    assert original[:4].mean() > 0.9
    np.testing.assert_array_equal(new[:, original], old[:, original])
    assert (new[:, 24, 24] == round(10_000 * ANSWER) - safe.offset_dn).all()


def test_l2a_for_a_model_of_l1c_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    card = dataclasses.replace(read_card(find_model(DEFAULT_MODEL)), levels=("L1C",))
    for level in ("L1C", "L2A"):
        with (
            caplog.at_level(logging.WARNING, "cloudfree"),
            OpticalScene(write_safe(tmp_path, Safe(level))) as scene,
        ):
            warn_of_level(scene, card)
        assert ("L2A, model cloudfree-s was trained on L1C" in caplog.text) == (level == "L2A")


def test_a_card_may_refuse_other_levels(tmp_path: Path) -> None:
    card = dataclasses.replace(
        read_card(find_model(DEFAULT_MODEL)), levels=("L1C",), other_levels="refuse"
    )
    with OpticalScene(write_safe(tmp_path, Safe("L1C"))) as scene:
        check_level(scene, card)
    message = "is L2A; wanted L1C, as the card of model cloudfree-s refuses others; give the scene"
    with (
        OpticalScene(write_safe(tmp_path, Safe("L2A"))) as scene,
        pytest.raises(InputError, match=message),
    ):
        check_level(scene, card)
