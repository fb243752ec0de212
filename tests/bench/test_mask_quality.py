"""The arithmetic by which masks are judged: known answers."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import MaskClass
from cloudfree.simulation.atmosphere import Atmosphere
from tests.bench import mask_detectors, mask_quality
from tests.bench.mask_counts import (
    Count,
    above,
    image_of,
    mean_over,
    overlap,
    ratio,
    region_of,
    share,
    table,
)
from tests.bench.mask_detectors import weights_file
from tests.bench.mask_quality import (
    Judge,
    brighter,
    judge_clear,
    judge_draw,
    judge_fewer_bands,
    judge_pair,
    ndsi,
    snow_share,
    with_snow,
)
from tests.bench.mask_regions import Image, write
from tests.bench.mask_report import (
    CLOUD_ON_CLEAR,
    IOU,
    SHADOW_ON_CLEAR,
    SHADOW_PRECISION,
    SHADOW_RECALL,
    SNOW,
    THICK,
    report,
)
from tests.bench.mask_scenes import FOUR_BANDS, Scene, distinct, pairs, read_regions
from tests.bench.mask_simulated import Draw, draws, truth_of

SIDE = 20


def image(value: float, side: int = SIDE) -> np.ndarray:
    return np.full((13, side, side), value, np.float32)


def scene(value: float = 0.1, *, region: str = "spain", name: str = "a", kind: str = "clear"):
    return Scene(region, name, kind, image(value), OPTICAL_BANDS)


def upper(rows: int, side: int = SIDE) -> np.ndarray:
    where = np.zeros((side, side), np.bool_)
    where[:rows] = True
    return where


def classes(cloud: np.ndarray, shadow: np.ndarray | None = None) -> np.ndarray:
    mask = np.where(cloud, np.uint8(MaskClass.CLOUD), np.uint8(MaskClass.CLEAR))
    if shadow is not None:
        mask[shadow] = MaskClass.SHADOW
    return mask


def judged(mask: np.ndarray | None) -> Judge:
    """A judge whose one detector finds the same mask everywhere."""
    return Judge({"one": lambda planes, bands, sun: mask}, None)


def ratios(judge: Judge) -> dict[str, float | None]:
    return {count.figure: ratio([count]) for count in judge.counts}


def count(hit: int, total: int, *, region: str = "a", image: str = "1", detector: str = "one"):
    return Count("figure", detector, region, image, "towns", "L1C", hit, total)


# Ratios.


def test_a_ratio_is_of_the_sums():
    assert ratio([count(1, 10), count(30, 90)]) == pytest.approx(0.31)


def test_no_pixel_has_no_ratio():
    assert ratio([count(0, 0)]) is None


def test_the_mean_over_regions_counts_each_region_the_same():
    counts = [count(1, 10), count(3, 10, image="2"), count(60, 100, region="b")]
    assert mean_over(counts, region_of) == pytest.approx((0.2 + 0.6) / 2)
    assert mean_over(counts, image_of) == pytest.approx((0.1 + 0.3 + 0.6) / 3)


def test_groups_without_a_pixel_are_left_out_of_means():
    assert mean_over([count(1, 10), count(0, 0, region="b")], region_of) == pytest.approx(0.1)


def test_images_above_a_limit_are_counted():
    counts = [count(3, 100), count(4, 100, image="2"), count(90, 100, region="b")]
    assert above(counts, 0.03) == 2


def test_a_share_is_of_the_pixels_among():
    assert share(upper(5), upper(10)) == (5 * SIDE, 10 * SIDE)


def test_an_overlap_is_intersection_and_union():
    lower = ~upper(5)
    everything = np.ones_like(lower)
    assert overlap(upper(10), lower, everything) == (5 * SIDE, SIDE * SIDE)
    assert overlap(upper(10), lower, upper(10)) == (5 * SIDE, 10 * SIDE)


def test_the_worst_region_comes_first():
    counts = [count(1, 10), count(5, 10, region="b"), count(7, 10, region="a", detector="other")]
    assert table(counts, ["one", "other"], region_of) == [
        ["a", "10.00", "70.00"],
        ["b", "50.00", "n/a"],
    ]
    assert [row[0] for row in table(counts, ["one"], region_of, worst=min)] == ["a", "b"]


# Clear images.


def test_a_clear_image_is_judged_by_what_is_taken_for_cloud_and_shadow():
    judge = judged(classes(upper(5), ~upper(18)))
    judge_clear(judge, scene())
    found = ratios(judge)
    assert (found[CLOUD_ON_CLEAR], found[SHADOW_ON_CLEAR]) == (0.25, 0.1)


def test_pixels_without_data_do_not_count():
    planes = image(0.1)
    planes[:, :10] = np.nan
    judge = judged(classes(upper(15)))
    judge_clear(judge, replace(scene(), planes=planes))
    assert ratios(judge)[CLOUD_ON_CLEAR] == 0.5


def test_real_cloud_in_a_clear_image_does_not_count():
    judge = judged(classes(upper(100, 256)))
    tiny = Scene("summer_101", "p505", "clear", image(0.1, 256), OPTICAL_BANDS)
    judge_clear(judge, tiny)
    (of_clear,) = (one for one in judge.counts if one.figure == CLOUD_ON_CLEAR)
    assert of_clear.total == 256 * 256 - 140 * 36


def test_a_detector_that_cannot_take_the_bands_is_not_counted():
    judge = judged(None)
    judge_clear(judge, scene())
    assert judge.counts == []
    assert "n/a" in report(judge.counts, ["one"], {})


def test_fewer_bands_are_judged_by_themselves():
    judge = judged(classes(upper(5)))
    judge_fewer_bands(judge, scene())
    assert ratios(judge) == {f"{CLOUD_ON_CLEAR}, {bands} bands": 0.25 for bands in (10, 4)}
    judge = judged(classes(upper(5)))
    judge_fewer_bands(judge, scene().with_bands(FOUR_BANDS))
    assert judge.counts == []


def test_the_snow_months_count_for_snow_alone():
    judge = judged(classes(upper(5)))
    judge_clear(judge, scene(region="finland", name="m05"))
    assert ratios(judge) == {SNOW: 0.25}


def test_snow_is_green_and_dark_in_the_short_wave_infrared():
    planes = image(0.5)
    planes[OPTICAL_BANDS.index("B11"), :2] = 0.1
    snowy = replace(scene(), planes=planes)
    assert snow_share([snowy]) == pytest.approx(0.1)
    assert snow_share([scene(0.5)]) == 0


def test_ndsi_of_no_light_is_no_snow():
    zero, one = np.zeros(1, np.float32), np.ones(1, np.float32)
    assert [ndsi(zero, zero)[0], ndsi(one, zero)[0], ndsi(one, one)[0]] == [-1, 1, 0]


def test_regions_with_little_snow_are_left_out():
    judge = judged(classes(upper(5)))
    judge_clear(judge, scene())
    kept = with_snow(judge.counts, {"spain": [scene()]})
    assert {one.figure for one in kept} == {CLOUD_ON_CLEAR, SHADOW_ON_CLEAR}


# Pairs.


def test_the_reference_is_what_became_brighter_in_all_visible_bands():
    cloudy = image(0.1)
    cloudy[:, :10] = 0.15
    cloudy[OPTICAL_BANDS.index("B03"), :5] = 0.1
    found = brighter(replace(scene(), planes=cloudy), scene(), 0.04)
    assert (found == (upper(10) & ~upper(5))).all()
    assert not brighter(replace(scene(), planes=cloudy), scene(), 0.06).any()


def test_a_single_bright_pixel_is_no_reference():
    cloudy = image(0.1)
    cloudy[:, 10, 10] = 0.9
    assert not brighter(replace(scene(), planes=cloudy), scene(), 0.04).any()


def test_real_clouds_are_judged_by_intersection_over_union():
    cloudy = image(0.1)
    cloudy[:, :10] = 0.5
    judge = judged(classes(~upper(5)))
    judge_pair(judge, replace(scene(kind="cloudy"), planes=cloudy), scene(), 0.04)
    assert ratios(judge) == {IOU: 0.25}


def test_a_pair_is_of_one_name_and_a_clear_image_counts_once():
    scenes = [scene(0.1, name="x"), scene(0.5, name="x", kind="cloudy"), scene(0.1, name="y")]
    assert [(one.name, other.name) for one, other in pairs(scenes)] == [("x", "x")]
    assert [one.name for one in distinct(scenes)] == ["y"]


def test_a_cloudy_image_that_shows_no_cloud_is_no_pair():
    scenes = [scene(region="finland", name="m00", kind=kind) for kind in ("clear", "cloudy")]
    assert list(pairs(scenes)) == []


# Simulated clouds.


def atmosphere(*, low: float = 0.0, cirrus: float = 0.0, haze: float = 0.0, rows: int = 5):
    """Clouds above, strong shadow in the rows below, faint shadow in the next."""
    where, zero = upper(rows).astype(np.float32), np.zeros((SIDE, SIDE), np.float32)
    dimming = zero.copy()
    dimming[:10], dimming[10:12] = 0.5, 0.1
    one = np.ones_like(zero)
    return Atmosphere(low * where, cirrus * where, haze * where, dimming, one)


OWN = atmosphere().dimming


def px(where: np.ndarray) -> float:
    return where.sum() / SIDE


@pytest.mark.parametrize(
    ("opacity", "found"),
    [(0.6, "thick"), (0.5, "thick"), (0.3, "thin"), (0.16, "thin"), (0.1, "faint"), (0.04, "")],
)
def test_low_cloud_is_thick_thin_or_faint_by_its_opacity(opacity: float, found: str):
    truth = truth_of(atmosphere(low=np.float32(opacity)), "cumulus", OWN)
    rows = {name: px(getattr(truth, name)) for name in ("thick", "thin", "faint", "haze")}
    assert rows == {name: 5 if name == found else 0 for name in rows}


def test_cirrus_adds_to_the_opacity_but_is_never_thick():
    assert px(truth_of(atmosphere(cirrus=0.4), "cirrus", OWN).thin) == 5
    dense = truth_of(atmosphere(cirrus=0.6), "cirrus", OWN)
    assert not (dense.thick | dense.thin).any()


def test_haze_counts_from_a_depth_of_a_fifth():
    assert px(truth_of(atmosphere(haze=0.2), "haze", OWN).haze) == 5
    assert not truth_of(atmosphere(haze=0.19), "haze", OWN).haze.any()


def test_ground_beside_clouds_begins_five_pixels_from_them():
    assert px(truth_of(atmosphere(low=0.01), "cumulus", OWN).beside) == SIDE - 10


def test_shadow_is_neither_under_cloud_nor_faint():
    truth = truth_of(atmosphere(low=0.6), "cumulus", OWN)
    assert (px(truth.shadow), px(truth.light)) == (5, 8)


def test_shadow_of_clouds_beside_the_scene_is_left_out():
    truth = truth_of(atmosphere(low=0.6), "cumulus", np.zeros_like(OWN))
    assert (px(truth.shadow), px(truth.light)) == (0, 8)


def test_a_mask_of_simulated_clouds_has_recall_and_precision():
    # Rows 0 to 4 are cloud, 5 to 9 shadow, 10 and 11 faint shadow, the others light.
    judge = judged(classes(upper(4), upper(14) & ~upper(8)))
    judge_draw(judge, Draw(scene(), "cumulus", atmosphere(low=0.6), OWN))
    found = ratios(judge)
    assert (found[THICK], found[SHADOW_RECALL], found[SHADOW_PRECISION]) == (0.8, 0.4, 0.5)


def test_draws_are_the_same_at_every_call_and_of_all_kinds():
    first, second = (list(draws("spain", [scene()], {}, times=1)) for _ in range(2))
    assert [one.kind for one in first] == ["cumulus", "real", "cirrus", "haze"]
    for one, other in zip(first, second, strict=True):
        assert (one.scene.planes == other.scene.planes).all()


def test_clouds_are_not_laid_over_images_that_lack_bands():
    assert list(draws("spain", [scene().with_bands(FOUR_BANDS)], {})) == []


# Detectors and the whole run.


def test_a_region_takes_the_weights_that_never_saw_it(tmp_path: Path):
    assert weights_file("dubai", tmp_path).name == "A.onnx"
    assert weights_file("finland", tmp_path).name == "B.onnx"


@pytest.mark.parametrize("name", ["published", "sensitive"])
def test_detectors_of_the_package_need_their_bands(name: str):
    detect = mask_detectors.DETECTORS[name]("spain", None)
    assert detect(image(0.1, 64), OPTICAL_BANDS, None).shape == (64, 64)
    assert detect(image(0.1, 64)[:4], FOUR_BANDS, None) is None


def test_the_whole_table_is_printed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    regions = tmp_path / "regions"
    monkeypatch.setattr(
        "tests.bench.mask_regions.read", lambda path: (image(float(path.name)), OPTICAL_BANDS)
    )
    for kind, value in (("clear", "0.1"), ("cloudy", "0.5")):
        write(Image("spain", "a", kind, Path(value)), regions)
    assert [one.kind for one in read_regions(regions)["spain"]] == ["clear", "cloudy"]
    bright = {"bright": lambda region, weights: lambda planes, bands, sun: classes(planes[1] > 0.3)}
    monkeypatch.setattr(mask_quality, "DETECTORS", bright)
    out, pictures = tmp_path / "out.json", tmp_path / "pictures"
    command = f"x --regions {regions} --detector bright --quick --out {out} --pictures {pictures}"
    monkeypatch.setattr(sys, "argv", command.split())
    mask_quality.main()
    assert "clear ground taken for cloud" in capsys.readouterr().out
    figures = json.loads(out.read_text())["figures"]
    assert figures[CLOUD_ON_CLEAR]["mean over regions"] == {"bright": 0.0}
    assert figures[IOU]["mean over images"] == {"bright": 1.0}
    assert (pictures / "spain_a_cloudy.png").exists()
