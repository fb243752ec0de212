"""`cloudfree report` on results made by code: figures, pictures, refusals."""

from __future__ import annotations

import logging
import math
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.commands.report.options import ReportOptions
from cloudfree.commands.report.run import ReportResult, run
from cloudfree.core.mask_classes import FillClass
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError, OutputError
from cloudfree.raster.gdal import ignored_warning
from cloudfree.raster.parts import Parts
from tests.factories.damage import full_disk, half_loaded
from tests.factories.rasters import cloudy_scene, write_cloudy_scene
from tests.factories.results import ERROR, FakeResult, reference_tags, write_result

PIXELS = 48 * 64 - 4 * 6


@pytest.fixture
def fake(tmp_path: Path) -> FakeResult:
    return write_result(tmp_path)


def report(
    *fakes: FakeResult, output: Path | None = None, truth: bool = True, **options
) -> ReportResult:
    truths = tuple(fake.truth for fake in fakes) if truth else ()
    output = output or fakes[0].result.with_name("report.html")
    results = tuple(fake.result for fake in fakes)
    return run(ReportOptions(results, output, truths, **options), silent)


def text_of(result: ReportResult) -> str:
    return result.output.read_text(encoding="utf-8")


def test_a_constant_error_has_its_known_figures(fake):
    (scene,) = report(fake).scenes
    cloudy = scene.comparison.cloudy
    assert cloudy.after.mae == pytest.approx(ERROR, rel=1e-4)
    assert cloudy.after.psnr == pytest.approx(-20 * math.log10(ERROR), rel=1e-4)
    assert cloudy.before.psnr < 12 < cloudy.after.psnr
    for figures in scene.comparison.bands.values():
        assert figures.after.mae == pytest.approx(ERROR, rel=1e-4)


def test_cloudy_pixels_are_the_filled_and_all_are_the_valid_ones(fake):
    (scene,) = report(fake).scenes
    cloud = int(cloudy_scene(48, 64)[1].sum())
    comparison = scene.comparison
    assert (comparison.cloudy.after.pixels, comparison.all.after.pixels) == (cloud, PIXELS)
    assert comparison.all.before.pixels == PIXELS
    assert scene.filled_fraction == pytest.approx(cloud / PIXELS)
    assert scene.mask_fractions["cloud"] == pytest.approx(cloud / PIXELS)
    assert comparison.all.after.mae == pytest.approx(ERROR * cloud / PIXELS, rel=1e-4)


def test_cloud_that_is_not_filled_counts_neither_as_filled_nor_as_cloudy_pixels(fake):
    with rasterio.open(fake.filled, "r+") as file:
        classes = file.read(1)
        classes[20:30, 30:34] = 2
        file.write(classes, 1)
    result = report(fake)
    (scene,) = result.scenes
    filled = int(cloudy_scene(48, 64)[1].sum()) - 40
    assert scene.filled_fraction == pytest.approx(filled / PIXELS)
    assert scene.unfilled_fraction == pytest.approx(40 / PIXELS)
    assert scene.comparison.cloudy.after.pixels == filled
    assert "1.3 % cloud and not filled" in result.summary()
    assert "lie under cloud or shadow without radar and are not filled" in text_of(result)


def test_the_figures_do_not_depend_on_the_strips(fake, monkeypatch):
    whole = report(fake).scenes[0].comparison
    monkeypatch.setattr("cloudfree.report.comparison.STRIP_ROWS", 7)
    strips = report(fake, overwrite=True).scenes[0].comparison
    for one, other in ((whole.all, strips.all), (whole.cloudy, strips.cloudy)):
        assert vars(other.after) == pytest.approx(vars(one.after), rel=1e-6)
        assert vars(other.before) == pytest.approx(vars(one.before), rel=1e-6)


def test_the_page_holds_the_figures_that_are_returned(fake):
    result = report(fake)
    cloudy = result.scenes[0].comparison.cloudy
    for number in (
        f"{cloudy.before.psnr:.2f}",
        f"{cloudy.after.ssim:.3f}",
        f"{cloudy.after.mae:.4f}",
    ):
        assert number in text_of(result)
        assert number in result.summary()


@pytest.fixture
def from_dates(tmp_path: Path) -> FakeResult:
    """A result whose cloud is filled from two dates, to a quarter from the second."""
    dates = [write_cloudy_scene(tmp_path / name, 48, 64) for name in ("may.tif", "june.tif")]
    fake = write_result(tmp_path, **reference_tags(dates, days=-25, share=0.5, error=0.02))
    with rasterio.open(fake.filled, "r+") as file:
        classes = file.read(1)
        filled = np.flatnonzero(classes == FillClass.FILLED)
        classes.flat[filled] = FillClass.REFERENCE_1
        classes.flat[filled[: len(filled) // 4]] = FillClass.REFERENCE_2
        file.write(classes, 1)
    return fake


def test_what_came_from_which_date_is_counted_and_named(from_dates: FakeResult) -> None:
    result = report(from_dates)
    (scene,) = result.scenes
    assert list(scene.filled_by) == ["reference_1", "reference_2"]
    assert scene.filled_by["reference_2"] == pytest.approx(0.25, abs=0.01)
    assert [one.path.name for one in scene.references] == ["may.tif", "june.tif"]
    lines = result.summary().splitlines()
    assert lines[1].startswith("  reference 1 75.")
    assert lines[2:4] == [
        "  reference 1: may.tif, -25 days, filled 50%, error 0.0200",
        "  reference 2: june.tif, -25 days, filled 50%, error 0.0200",
    ]


def test_the_map_of_what_came_from_where_has_the_classes_that_occur(from_dates) -> None:
    page = " ".join(text_of(report(from_dates)).split())
    figure = page.split('<figure data-name="filled"')[1].split("</figure>")[0]
    assert re.findall(r"</svg>([^<]+)</li>", figure) == ["original", "reference 1", "reference 2"]


def test_a_date_that_is_gone_is_named_and_stays_in_the_table(from_dates, tmp_path) -> None:
    (tmp_path / "may.tif").unlink()
    result = report(from_dates, quicklooks=tmp_path / "pictures")
    assert result.scenes[0].warnings == ("reference 1 was not found: may.tif",)
    page = text_of(result)
    assert "<li>reference 1 was not found: may.tif</li>" in page
    assert '<span class="unit">may.tif</span>' in page
    assert '<figure data-name="reference_1"' not in page
    names = {path.name for path in result.quicklooks}
    assert "l1c_cloudfree_reference_2.png" in names
    assert "l1c_cloudfree_reference_1.png" not in names


def test_scene_and_model_have_their_weights_and_errors(tmp_path: Path) -> None:
    parts = Parts(0.25, 0.041, 0.052, 0.033)
    result = report(write_result(tmp_path, **parts.to_tags()))
    assert result.scenes[0].parts == parts
    assert [line.split() for line in result.summary().splitlines()[1:5]] == [
        ["weight", "error"],
        ["the", "scene", "itself", "75", "%", "0.0410"],
        ["the", "model", "25", "%", "0.0520"],
        ["both", "100", "%", "0.0330"],
    ]
    page = " ".join(text_of(result).split())
    for row in (("the scene itself", "75 %", "0.0410"), ("the model", "25 %", "0.0520")):
        assert "<tr>{}<td>{}</td><td>{}</td></tr>".format(
            f'<th scope="row">{row[0]}</th>', *row[1:]
        ) in page  # fmt: skip


def test_a_result_of_the_model_alone_has_no_table_of_weights(fake) -> None:
    result = report(fake)
    assert result.scenes[0].parts is None
    assert "Weight" not in text_of(result).replace("Weights SHA-256", "")
    assert "weight" not in result.summary()


def test_the_summary_is_a_table(fake):
    lines = report(fake).summary().splitlines()
    assert lines[0].startswith("l1c_cloudfree.tif: ")
    assert lines[1].split() == ["PSNR", "SSIM", "SAM", "MAE"]
    assert [line.split()[0] for line in lines[3:7]] == ["cloudy", "after", "all", "after"]
    assert lines[-1].endswith("report.html")


def test_without_truth_there_are_pictures_and_no_figures(fake):
    result = report(fake, truth=False)
    assert result.scenes[0].comparison is None
    assert 'data-name="after"' in text_of(result)
    assert 'data-name="error"' not in text_of(result)


def test_all_pictures_are_there(fake):
    page = text_of(report(fake))
    for name in ("before", "after", "truth", "sar", "mask", "outline", "error"):
        assert f'<figure data-name="{name}"' in page
    assert 'data-name="after" data-composite="swir"' in page


def test_quicklooks_are_files_of_the_size_of_the_scene(fake, tmp_path):
    result = report(fake, quicklooks=tmp_path / "pictures")
    names = [path.name.removeprefix("l1c_cloudfree_") for path in result.quicklooks]
    assert sorted(names) == [
        "after.png",
        "before.png",
        "error.png",
        "mask.png",
        "sar.png",
        "truth.png",
    ]
    for path in result.quicklooks:
        with ignored_warning(NotGeoreferencedWarning), rasterio.open(path) as picture:
            assert (picture.height, picture.width, picture.count) == (48, 64, 4)


def test_a_large_scene_is_reduced(fake, tmp_path, monkeypatch):
    monkeypatch.setattr("cloudfree.report.quicklooks.LONGEST_PX", 32)
    result = report(fake, quicklooks=tmp_path / "pictures")
    for path in result.quicklooks:
        with ignored_warning(NotGeoreferencedWarning), rasterio.open(path) as picture:
            assert (picture.height, picture.width) == (24, 32)


def test_before_after_and_truth_share_one_stretch(fake, tmp_path):
    pictures = {path.stem[-6:]: path for path in report(fake, quicklooks=tmp_path / "p").quicklooks}
    corner = {}
    for name in ("before", "_after", "_truth"):
        with ignored_warning(NotGeoreferencedWarning), rasterio.open(pictures[name]) as picture:
            corner[name] = picture.read()[:, 40, 60].tolist()
    assert corner["before"] == corner["_after"] == corner["_truth"]


def test_results_of_one_name_get_pictures_of_their_own(tmp_path):
    fakes = [write_result(tmp_path / folder) for folder in ("a", "b")]
    result = report(*fakes, quicklooks=tmp_path / "pictures")
    names = {path.name for path in result.quicklooks}
    assert {"l1c_cloudfree_after.png", "l1c_cloudfree_2_after.png"} <= names
    assert len(result.scenes) == 2


def test_moved_inputs_are_named_on_the_page_and_in_the_log(fake, caplog):
    fake.s1.unlink()
    fake.s2.unlink()
    with caplog.at_level(logging.WARNING, logger="cloudfree"):
        result = report(fake)
    for sentence in (
        "the Sentinel-1 scene was not found: l1c_s1.tif",
        "the cloudy scene was not found: l1c.tif",
    ):
        assert sentence in text_of(result)
        assert f"l1c_cloudfree.tif: {sentence}" in caplog.messages
    assert result.scenes[0].comparison.all.before is None
    assert result.scenes[0].comparison.all.after.pixels == PIXELS


def test_without_the_mask_of_filled_pixels_all_are_scored_and_the_share_is_unknown(fake):
    fake.filled.unlink()
    (scene,) = report(fake).scenes
    assert (scene.filled_fraction, scene.comparison.cloudy) == (None, None)
    assert scene.comparison.bands["B02"].after.pixels == PIXELS


def test_warnings_of_the_result_stand_on_the_page(tmp_path):
    fake = write_result(tmp_path, CLOUDFREE_WARNINGS="no grid | 3 % have no radar")
    result = report(fake)
    assert result.scenes[0].warnings == ("no grid", "3 % have no radar")
    assert "<li>3 % have no radar</li>" in text_of(result)


def test_without_a_kept_mask_the_filled_pixels_take_its_place(tmp_path):
    result = report(write_result(tmp_path, CLOUDFREE_MASK=None))
    assert result.scenes[0].mask_fractions == {}
    assert "What pixels were filled by" in text_of(result)


@pytest.mark.parametrize(("height", "width"), [(1, 31), (31, 1), (7, 7)])
def test_tiny_scenes_have_a_page(tmp_path, height, width):
    fake = write_result(tmp_path, height, width)
    assert 'data-name="after"' in text_of(report(fake))


def test_a_foreign_file_is_refused_and_nothing_is_written(tmp_path):
    foreign = write_cloudy_scene(tmp_path / "l1c.tif")
    options = ReportOptions((foreign,), tmp_path / "report.html")
    with pytest.raises(InputError, match=r"l1c\.tif has no CLOUDFREE_VERSION tag"):
        run(options, silent)
    assert not options.output.exists()


def test_a_page_that_exists_is_not_replaced_unless_asked(fake):
    report(fake)
    with pytest.raises(OutputError, match=r"report.html exists already.*--overwrite"):
        report(fake)
    assert report(fake, overwrite=True).output.exists()


def test_a_page_never_replaces_what_it_is_made_from_or_its_pictures(fake, tmp_path):
    files = (fake.result, fake.truth, fake.s2, fake.s1, fake.mask, fake.filled)
    before = {path: path.read_bytes() for path in files}
    for output in (*files, tmp_path / "l1c_cloudfree_sar.png"):
        with pytest.raises(OutputError, match=rf"{output.name} is an input or another output"):
            report(fake, output=output, quicklooks=tmp_path, overwrite=True)
    assert {path: path.read_bytes() for path in files} == before


def test_a_picture_that_exists_is_not_replaced_unless_asked(fake, tmp_path):
    (tmp_path / "l1c_cloudfree_sar.png").write_text("mine")
    with pytest.raises(OutputError, match=r"l1c_cloudfree_sar.png exists already"):
        report(fake, quicklooks=tmp_path)
    assert (tmp_path / "l1c_cloudfree_sar.png").read_text() == "mine"
    assert not (tmp_path / "l1c_cloudfree_after.png").exists()


def test_one_truth_serves_all_results_and_another_count_is_refused(tmp_path):
    fakes = [write_result(tmp_path / folder) for folder in ("a", "b", "c")]
    results, output = tuple(fake.result for fake in fakes), tmp_path / "report.html"
    one = run(ReportOptions(results, output, (fakes[0].truth,)), silent)
    assert all(scene.comparison for scene in one.scenes)
    two = ReportOptions(results, output, (fakes[0].truth,) * 2, overwrite=True)
    with pytest.raises(InputError, match=r"2 truths for 3 results.*one for each"):
        run(two, silent)


def test_a_full_disk_leaves_the_old_page_and_nothing_else(fake):
    old = report(fake)
    before, files = text_of(old), sorted(old.output.parent.iterdir())
    with full_disk(1000), pytest.raises(OutputError, match=r"report\.html cannot be written"):
        report(fake, overwrite=True)
    assert text_of(old) == before
    assert sorted(old.output.parent.iterdir()) == files


def test_a_place_for_pictures_that_is_a_file_is_refused(fake, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file cannot be written"):
        report(fake, quicklooks=tmp_path / "file")


def test_a_radar_that_is_half_loaded_is_left_out_and_named(fake):
    half_loaded(fake.s1)
    result = report(fake)
    assert "the Sentinel-1 scene is left out" in text_of(result)
    assert 'data-name="sar"' not in text_of(result)


def test_the_name_of_a_file_is_text_and_not_markup(tmp_path):
    fake = write_result(tmp_path, stem="<img src=x onerror=alert(1)>&amp;")
    page = text_of(report(fake))
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;&amp;amp;_cloudfree.tif" in page


def test_a_page_of_results_without_a_name_is_refused(fake):
    with pytest.raises(InputError, match=r"no -o for the page; wanted -o OUT\.html"):
        run(ReportOptions((fake.result,)), silent)
    with pytest.raises(InputError, match="--no-pages for single results"):
        report(fake, pages=False)


@pytest.mark.parametrize("largest", [0.15, 0.2, 5.0])
def test_a_page_is_not_larger_than_it_may_be(tmp_path, monkeypatch, largest):
    monkeypatch.setattr("cloudfree.report.quicklooks.LONGEST_PX", 256)
    fake = write_result(tmp_path, 600, 500)
    page = report(fake, max_size=largest).output
    assert page.stat().st_size <= largest * 1e6
    text = page.read_text(encoding="utf-8")
    assert ("--max-size raises this limit" in text) == (largest < 5)


def test_several_results_share_the_room_of_a_page(tmp_path):
    fakes = [write_result(tmp_path / name, 300, 400) for name in "abc"]
    assert report(*fakes, max_size=0.6).output.stat().st_size <= 600_000
    with pytest.raises(InputError, match=r"3 results on a page of 0\.2 MB; wanted 0\.29 MB"):
        report(*fakes, max_size=0.2, overwrite=True)


def test_tags_that_are_too_long_for_a_page_are_refused(tmp_path):
    fake = write_result(tmp_path, CLOUDFREE_WARNINGS="x" * 400_000)
    with pytest.raises(InputError, match=r"a page of 0\.\d MB; wanted at most 0\.3 MB"):
        report(fake, max_size=0.3)


def test_a_real_result_scores_as_its_arrays_do(data, tmp_path):
    # A result that is the cloudy scene itself scores as doing nothing does.
    cloudy = data / "triplets" / "winter112p797_s2_cloudy.tif"
    result = tmp_path / "same.tif"
    with rasterio.open(cloudy) as source:
        profile = {**source.profile, "driver": "GTiff"}
        with rasterio.open(result, "w", **profile) as copy:
            copy.write(source.read())
            copy.descriptions = source.descriptions
            copy.update_tags(CLOUDFREE_VERSION="0.1.0")
    truth = data / "triplets" / "winter112p797_s2_clear.tif"
    (scene,) = run(ReportOptions((result,), tmp_path / "r.html", (truth,)), silent).scenes
    figures = scene.comparison.all.after
    assert figures.psnr == pytest.approx(20.40, abs=0.01)
    assert figures.ssim == pytest.approx(0.729, abs=0.001)
    assert figures.sam == pytest.approx(21.39, abs=0.01)
