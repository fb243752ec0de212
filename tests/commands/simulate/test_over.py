"""Clouds over a clear scene that is given."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from cloudfree.commands.mask.options import MaskOptions
from cloudfree.commands.mask.run import run as make_mask
from cloudfree.commands.simulate.options import SimulateOptions
from cloudfree.commands.simulate.over import SUN_ZENITH_TAG, SimulateOverResult
from cloudfree.commands.simulate.run import run
from cloudfree.core.acquisition import SUN_AZIMUTH_TAG
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.choices import PUBLISHED_MASK
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.terminal import silent
from cloudfree.errors import CloudfreeError, InputError, OutputError
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.simulation.add_clouds import KINDS
from tests.factories.rasters import write_raster
from tests.factories.sample_folders import field, write_triplet

SIDE = 96


def clear_numbers(side: int = SIDE) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 60, (13, side, side))
    return (field(side) + noise).astype(np.uint16)


@pytest.fixture
def clear(tmp_path: Path) -> Path:
    return write_raster(tmp_path / "clear.tif", clear_numbers(), OPTICAL_BANDS, nodata=0)


@pytest.fixture
def donors(tmp_path: Path) -> Path:
    write_triplet(tmp_path / "donors", "a", side=64)
    return tmp_path / "donors"


def simulate(clear: Path, folder: Path, **options: Any) -> SimulateOverResult:
    own = {"over": clear, "s2_offset": 0.0, **options}
    result = run(SimulateOptions(folder, **own), silent)
    assert isinstance(result, SimulateOverResult)
    return result


def pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read())


@pytest.mark.parametrize("kind", KINDS)
def test_the_scene_changes_only_under_cloud_and_shadow(
    kind: str, clear: Path, donors: Path, tmp_path: Path
) -> None:
    result = simulate(clear, tmp_path / "out", kind=kind, cloud_donors=donors)
    (scene,) = result.scenes
    cloudy, truth = pixels(scene.s2_cloudy), pixels(scene.truth_mask)[0]
    assert np.array_equal(pixels(scene.s2_clear), clear_numbers())
    hidden = np.isin(truth, (MaskClass.CLOUD, MaskClass.SHADOW))
    assert np.array_equal(cloudy[:, ~hidden], clear_numbers()[:, ~hidden])
    assert (cloudy != clear_numbers()).any(axis=0)[hidden].mean() > 0.9
    assert scene.cloud == (truth == MaskClass.CLOUD).mean()
    assert scene.shadow == (truth == MaskClass.SHADOW).mean()
    assert f"({kind})" in result.summary()


def test_the_cover_is_that_which_was_asked_for(clear: Path, tmp_path: Path) -> None:
    (scene,) = simulate(clear, tmp_path / "out", kind="cumulus", cloud_cover=0.25).scenes
    assert scene.cloud == pytest.approx(0.25, abs=0.005)


@pytest.mark.parametrize("kind", ["offset", "float", "two-bands-more"])
def test_numbers_are_written_as_the_scene_has_them(kind: str, tmp_path: Path) -> None:
    numbers, names, offset = clear_numbers(), list(OPTICAL_BANDS), 0.0
    if kind == "offset":
        numbers, offset = numbers + np.uint16(1000), -1000.0
    elif kind == "float":
        numbers = (numbers / 10_000).astype(np.float32)
    else:
        extra = np.full((2, SIDE, SIDE), 7, dtype=np.uint16)
        numbers, names = np.concatenate([extra, numbers]), ["angle", "scl", *names]
    path = write_raster(tmp_path / "clear.tif", numbers, names)
    given = None if kind == "float" else offset
    (scene,) = simulate(path, tmp_path / "out", kind="cumulus", s2_offset=given).scenes
    cloudy = pixels(scene.s2_cloudy)
    assert cloudy.dtype == numbers.dtype
    clear = pixels(scene.truth_mask)[0] == MaskClass.CLEAR
    assert np.array_equal(cloudy[:, clear], numbers[:, clear])
    if kind == "two-bands-more":
        assert (cloudy[:2] == 7).all()
    with OpticalScene(scene.s2_cloudy) as back, OpticalScene(path, given) as before:
        assert back.descriptions == before.descriptions
        assert back.grid == before.grid
        assert back.offset.offset_dn == before.offset.offset_dn
        blue = back.reflectance(["B02"], back.grid.window)
    assert 0.5 < blue.max() < 1.3, "clouds are as bright as clouds are, whatever the offset"


def test_missing_pixels_stay_missing(tmp_path: Path) -> None:
    numbers = clear_numbers()
    numbers[:, :30] = 0
    path = write_raster(tmp_path / "clear.tif", numbers, OPTICAL_BANDS, nodata=0)
    (scene,) = simulate(path, tmp_path / "out", kind="haze", cloud_cover=1.0).scenes
    assert not pixels(scene.s2_cloudy)[:, :30].any()
    assert (pixels(scene.truth_mask)[0, :30] == MaskClass.NODATA).all()
    assert scene.cloud == 1.0, "of the valid pixels"


@pytest.mark.parametrize(("azimuth", "row", "col"), [(90.0, 0, -1), (180.0, -1, 0)])
@pytest.mark.parametrize("pixel_m", [10.0, 20.0])
def test_shadows_fall_away_from_the_sun_as_far_as_metres_say(
    azimuth: float, row: int, col: int, pixel_m: float, tmp_path: Path
) -> None:
    transform = Affine(pixel_m, 0, 500_000, 0, -pixel_m, 4_500_000)
    path = write_raster(
        tmp_path / "clear.tif", clear_numbers(192), OPTICAL_BANDS, transform=transform
    )
    (scene,) = simulate(
        path, tmp_path / "out", kind="cumulus", cloud_cover=0.15,
        sun_azimuth=azimuth, sun_elevation=45.0, seed=1,
    ).scenes  # fmt: skip
    truth = pixels(scene.truth_mask)[0]
    assert (scene.sun_azimuth_deg, scene.sun_elevation_deg) == (azimuth, 45.0)
    steps = round(scene.cloud_height_m / pixel_m)
    shadow = np.argwhere(truth == MaskClass.SHADOW)
    back = shadow - steps * np.array([row, col])
    inside = ((back >= 0) & (back < 192)).all(axis=1)
    assert inside.sum() > 50
    thrown = truth[tuple(back[inside].T)] == MaskClass.CLOUD
    assert thrown.mean() > 0.85, "a faint rim apart"


def test_the_sun_is_that_of_the_scene_by_default(tmp_path: Path) -> None:
    tags = {SUN_AZIMUTH_TAG: "123.4", SUN_ZENITH_TAG: "31.5"}
    path = write_raster(tmp_path / "clear.tif", clear_numbers(), OPTICAL_BANDS, **tags)
    (scene,) = simulate(path, tmp_path / "a").scenes
    assert (scene.sun_azimuth_deg, scene.sun_elevation_deg) == (123.4, 58.5)
    (scene,) = simulate(path, tmp_path / "b", sun_azimuth=200.0).scenes
    assert (scene.sun_azimuth_deg, scene.sun_elevation_deg) == (200.0, 58.5)
    with rasterio.open(scene.s2_cloudy) as dataset:
        assert float(dataset.tags()[SUN_AZIMUTH_TAG]) == 200.0
        assert dataset.tags()["CLOUDFREE_SIMULATED_CLOUDS"] == "mixed"
        assert dataset.tags()["CLOUDFREE_SIMULATION_SEED"] == "0 0"


@pytest.mark.parametrize("zenith", ["nan", "91", "high"])
def test_a_sun_in_no_sky_is_drawn(tmp_path: Path, zenith: str) -> None:
    tags = {SUN_ZENITH_TAG: zenith}
    path = write_raster(tmp_path / "clear.tif", clear_numbers(), OPTICAL_BANDS, **tags)
    (scene,) = simulate(path, tmp_path / "a").scenes
    assert 0 < scene.sun_elevation_deg < 90


def test_many_skies_over_one_scene(clear: Path, tmp_path: Path) -> None:
    result = simulate(clear, tmp_path / "out", count=3, seed=5)
    names = [scene.s2_cloudy.parent.name for scene in result.scenes]
    assert names == ["001", "002", "003"]
    drawn = [pixels(scene.s2_cloudy) for scene in result.scenes]
    assert not np.array_equal(drawn[0], drawn[1])
    again = simulate(clear, tmp_path / "again", count=2, seed=5)
    assert np.array_equal(pixels(again.scenes[1].s2_cloudy), drawn[1])


def test_few_bands_do(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_raster(tmp_path / "clear.tif", clear_numbers()[1:4], ["B02", "B03", "B04"])
    with caplog.at_level(logging.INFO, "cloudfree"):
        (scene,) = simulate(path, tmp_path / "out", kind="cirrus").scenes
    assert pixels(scene.s2_cloudy).shape == (3, SIDE, SIDE)
    assert "whether clear.tif is clear is unknown: no band B01" in caplog.text


def test_a_scene_that_is_cloudy_already_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_triplet(tmp_path, "a", side=SIDE)
    with caplog.at_level(logging.WARNING, "cloudfree"):
        simulate(tmp_path / "a_s2_cloudy.tif", tmp_path / "out")
    assert "% of a_s2_cloudy.tif is cloudy already" in caplog.text


def test_other_pixel_sizes_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    transform = Affine(160, 0, 500_000, 0, -160, 4_500_000)
    path = write_raster(tmp_path / "c.tif", clear_numbers(), OPTICAL_BANDS, transform=transform)
    with caplog.at_level(logging.WARNING, "cloudfree"):
        simulate(path, tmp_path / "out")
    assert "pixels of 160 m: clouds are simulated for pixels of 10 m" in caplog.text


def test_l2a_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bands = [band for band in OPTICAL_BANDS if band != "B10"]
    numbers = np.delete(clear_numbers(), OPTICAL_BANDS.index("B10"), axis=0)
    with caplog.at_level(logging.WARNING, "cloudfree"):
        simulate(write_raster(tmp_path / "c.tif", numbers, bands), tmp_path / "out")
    assert "c.tif is L2A: clouds are simulated for the top of the atmosphere" in caplog.text


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"kind": "real"},
            InputError,
            r"--kind real without --cloud-donors; .*--cloud-donors DIR",
        ),
        ({"size": 64}, InputError, r"--size with --over; wanted a simulated scene"),
        ({"misregistration": (0.0, 0.0)}, InputError, "--misregistration with --over"),
        ({"dates": 2}, InputError, r"--dates with --over; wanted a simulated scene; leave one"),
        ({"sun_elevation": 5.0}, InputError, "a sun 5 degrees above the horizon; wanted .* 10"),
        ({"cloud_cover": -0.1}, InputError, "a cloud cover of -0.1"),
    ],
)
def test_what_does_not_go_together(
    clear: Path, tmp_path: Path, options: dict[str, Any], error: type[CloudfreeError], text: str
) -> None:
    with pytest.raises(error, match=text):
        simulate(clear, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [{"kind": "haze"}, {"sun_azimuth": 1.0}, {"sun_elevation": 30.0}, {"count": 2},
     {"s2_offset": 0.0}],
)  # fmt: skip
def test_options_of_a_given_scene_need_one(tmp_path: Path, options: dict[str, Any]) -> None:
    name = next(iter(options)).replace("_", "-")
    with pytest.raises(InputError, match=rf"--{name} without --over; .*add --over CLEAR"):
        run(SimulateOptions(tmp_path / "out", size=64, **options), silent)


def test_missing_bands_are_named(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "red.tif", clear_numbers()[3:4], ["B04"])
    with pytest.raises(InputError, match=r"no band B02, B03 in red"):
        simulate(path, tmp_path / "out")


def test_nothing_is_replaced_unasked(clear: Path, tmp_path: Path) -> None:
    simulate(clear, tmp_path / "out")
    with pytest.raises(OutputError, match=r"s2_cloudy\.tif exists already; .*--overwrite"):
        simulate(clear, tmp_path / "out")
    simulate(clear, tmp_path / "out", overwrite=True)
    own = tmp_path / "out" / "s2_clear.tif"
    with pytest.raises(OutputError, match=r"s2_clear\.tif would be overwritten"):
        simulate(own, tmp_path / "out", overwrite=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(("kind", "found"), [("cumulus", 0.8), ("real", 0.5), ("haze", 0.6)])
def test_the_mask_finds_simulated_clouds_that_show(
    data: Path, tmp_path: Path, kind: str, found: float
) -> None:
    """Where a cloud adds 0.05 to the blue, over real clear ground."""
    (scene,) = simulate(
        data / "triplets" / "5254_s2_clear.tif", tmp_path / "out", kind=kind,
        cloud_donors=data / "pairs", seed=11, sun_azimuth=150.0, sun_elevation=45.0,
    ).scenes  # fmt: skip
    make_mask(
        MaskOptions(
            scene=scene.s2_cloudy, output=tmp_path / "mask.tif", s2_offset=0.0,
            **asdict(PUBLISHED_MASK),
        ),
        silent,
    )  # fmt: skip
    mask, truth = pixels(tmp_path / "mask.tif")[0], pixels(scene.truth_mask)[0]
    brighter = pixels(scene.s2_cloudy)[1].astype(float) - pixels(scene.s2_clear)[1] > 500
    cloud = (truth == MaskClass.CLOUD) & brighter
    assert (mask[cloud] == MaskClass.CLOUD).mean() > found
    assert (mask[truth == MaskClass.CLEAR] == MaskClass.CLOUD).mean() < 0.05
