"""The section of one result: what it holds, and how large it becomes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from cloudfree.commands.report.scene import SceneReport, draw_result
from cloudfree.core.terminal import silent
from cloudfree.errors import OutputError
from cloudfree.report import quicklooks
from cloudfree.report.embedding import embedded_bytes
from tests.factories.results import write_result


def test_a_result_has_histograms_and_finer_pixels_than_its_overview(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(quicklooks, "LONGEST_PX", 32)
    fake = write_result(tmp_path)
    drawn = draw_result(fake.result, None, tmp_path / "page.html", 10**7, silent)
    section = drawn.section
    assert [one.band for one in section.histograms][:2] == ["B01", "B02"]
    assert section.zoom.full
    assert (section.zoom.width, section.zoom.height) == (64, 48)
    assert section.zoom.pixel_m == pytest.approx(10, abs=0.01)
    assert section.pictures[0].pixels.shape == (24, 32, 4)


@pytest.mark.parametrize("largest", [40_000, 80_000, 10**6])
def test_pictures_and_tiles_take_no_more_than_there_is(tmp_path, monkeypatch, largest) -> None:
    monkeypatch.setattr(quicklooks, "LONGEST_PX", 256)
    fake = write_result(tmp_path, 500, 600)
    drawn = draw_result(fake.result, fake.truth, tmp_path / "page.html", largest, silent)
    levels = drawn.section.zoom.levels.values()
    tiles = sum(level.size for of_layer in levels for level in of_layer)
    assert embedded_bytes(drawn.section.pictures) + tiles <= 1.01 * largest
    assert {one.pixels.shape[:2] for one in drawn.pictures} == {(213, 256)}, "in full size"


def test_files_of_pictures_are_in_true_colour(tmp_path: Path) -> None:
    fake = write_result(tmp_path)
    drawn = draw_result(fake.result, None, tmp_path / "page.html", 10**7, silent)
    files = dict(drawn.files(tmp_path, "x"))
    names = [path.name for path in files]
    assert names == ["x_before.png", "x_after.png", "x_sar.png", "x_mask.png"]


def test_a_page_in_the_place_of_an_input_is_refused(tmp_path: Path) -> None:
    fake = write_result(tmp_path)
    with pytest.raises(OutputError, match="is an input or another output"):
        draw_result(fake.result, None, fake.s1, 10**7, silent)


def test_what_is_left_out_is_a_warning_and_stands_in_the_section(tmp_path, caplog) -> None:
    fake = write_result(tmp_path, CLOUDFREE_S1="/vsicurl/http://127.0.0.1:9/s1.tif")
    with caplog.at_level(logging.WARNING, logger="cloudfree"):
        drawn = draw_result(fake.result, None, tmp_path / "page.html", 10**7, silent)
    (sentence,) = drawn.section.warnings
    assert sentence.startswith("the Sentinel-1 scene is left out: ")
    assert caplog.messages == [f"l1c_cloudfree.tif: {sentence}"]


def test_programs_get_what_the_section_shows(tmp_path: Path) -> None:
    fake = write_result(tmp_path)
    drawn = draw_result(fake.result, fake.truth, tmp_path / "page.html", 10**7, silent)
    found = SceneReport.of_section(drawn.section)
    assert found.filled_by == {"filled": 1.0}
    assert found.filled_fraction == drawn.section.filled
    assert next(found.lines()).startswith("l1c_cloudfree.tif: ")
