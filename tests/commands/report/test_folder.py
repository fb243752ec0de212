"""A folder of results: its index, a page of each, and what failed."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from cloudfree.commands.report import folder as report_of_folder
from cloudfree.commands.report.folder import failures_in, results_in
from cloudfree.commands.report.options import ReportOptions
from cloudfree.commands.report.result import ReportResult
from cloudfree.commands.report.run import run
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError, OutputError
from tests.core.test_batch_log import record, write_log
from tests.factories.damage import half_loaded
from tests.factories.results import write_result
from tests.report.test_page import EVIL


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Two results, and the log of a batch in which a third scene failed."""
    folder = tmp_path / "filled"
    for stem in ("april", "may"):
        write_result(folder, stem=stem)
    reason = {"code": "unreadable", "message": "s1.tif cannot be opened"}
    write_log(
        folder / "batch.jsonl",
        record("april", "2024-05-04T10:00:00+00:00", "failed", **reason),
        record("april", "2024-05-04T11:00:00+00:00"),
        record("june", "2024-05-04T10:00:00+00:00"),
        record("june", "2024-05-04T11:00:00+00:00", "failed", **reason),
    )
    return folder


def report(folder: Path, **options) -> ReportResult:
    return run(ReportOptions((folder,), **options), silent)


def test_the_index_leads_to_a_page_of_each_result(filled: Path) -> None:
    result = report(filled)
    assert result.output == filled / "index.html"
    assert [path.name for path in result.pages] == ["april_cloudfree.html", "may_cloudfree.html"]
    index = result.output.read_text(encoding="utf-8")
    assert re.findall(r'href="([^"]+)"', index) == [f"./{path.name}" for path in result.pages]
    for path, scene in zip(result.pages, result.scenes, strict=True):
        assert f"<h1>{scene.name}</h1>" in path.read_text(encoding="utf-8")
    assert len(result.scenes) == 2


def test_a_scene_whose_last_attempt_failed_is_among_the_failures(filled: Path) -> None:
    (failure,) = failures_in(filled)
    assert (failure.name, failure.code) == ("june", "unreadable")
    result = report(filled)
    assert result.failures == (failure,)
    assert "june: failed: s1.tif cannot be opened" in result.summary()
    assert "<code>unreadable</code>" in result.output.read_text(encoding="utf-8")


def test_masks_scenes_and_radar_are_no_results(filled: Path) -> None:
    assert len(list(filled.glob("*.tif"))) == 2 * 6
    assert [path.name for path in results_in(filled)] == [
        "april_cloudfree.tif", "may_cloudfree.tif"
    ]  # fmt: skip


def test_the_index_alone_leads_to_the_pages_that_are_there(filled: Path) -> None:
    (filled / "may_cloudfree.html").write_text("made before", encoding="utf-8")
    result = report(filled, pages=False)
    assert result.pages == result.scenes == ()
    index = result.output.read_text(encoding="utf-8")
    assert re.findall(r'href="([^"]+)"', index) == ["./may_cloudfree.html"]
    assert "april_cloudfree.tif" in index
    assert (filled / "may_cloudfree.html").read_text(encoding="utf-8") == "made before"


def test_index_and_pages_can_stand_elsewhere(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    report(filled, output=tmp_path / "site" / "all.html")
    assert {path.name for path in (tmp_path / "site").iterdir()} == {
        "all.html", "april_cloudfree.html", "may_cloudfree.html"
    }  # fmt: skip


def test_a_result_that_cannot_be_shown_does_not_stop_the_others(
    filled: Path, caplog: pytest.LogCaptureFixture
) -> None:
    half_loaded(filled / "april_cloudfree.tif")
    with caplog.at_level(logging.WARNING, logger="cloudfree"):
        result = report(filled)
    assert [path.name for path in result.pages] == ["may_cloudfree.html"]
    assert "april_cloudfree.tif" in " ".join(caplog.messages)
    assert "april_cloudfree.tif" in [one.name for one in result.failures]
    assert "june" in [one.name for one in result.failures]


def test_nothing_is_replaced_unless_asked(filled: Path) -> None:
    (filled / "may_cloudfree.html").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"may_cloudfree\.html exists already.*--overwrite"):
        report(filled)
    assert not (filled / "index.html").exists()
    assert len(report(filled, overwrite=True).pages) == 2


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    (tmp_path / "batch.jsonl").touch()
    with pytest.raises(InputError, match=r"no result in .*; wanted a folder of results"):
        report(tmp_path)
    assert not (tmp_path / "index.html").exists()


def test_a_folder_stands_by_itself(filled: Path) -> None:
    result = filled / "may_cloudfree.tif"
    with pytest.raises(InputError, match=r"filled beside other results; wanted one folder"):
        run(ReportOptions((filled, result)), silent)
    with pytest.raises(InputError, match="--truth for a folder"):
        report(filled, truth=(result,))
    with pytest.raises(InputError, match="--quicklooks for a folder"):
        report(filled, quicklooks=filled)


def test_names_in_a_log_that_look_like_markup_stay_text(filled: Path) -> None:
    failed = record(EVIL, "2024-05-05", "failed", code=EVIL, message=EVIL)
    write_log(filled / "batch-1-of-2.jsonl", failed)
    index = report(filled).output.read_text(encoding="utf-8")
    assert "<script>alert" not in index
    assert index.count("&gt;&lt;script&gt;alert(1)") == 3


def test_pages_of_a_folder_are_bounded_each(filled: Path, monkeypatch) -> None:
    asked: list[float] = []
    whole = report_of_folder.picture_bytes
    monkeypatch.setattr(
        report_of_folder, "picture_bytes", lambda *given: asked.append(given) or whole(*given)
    )
    result = report(filled, max_size=0.25)
    assert asked == [(1, 0.25)] * 2
    assert all(path.stat().st_size <= 250_000 for path in (*result.pages, result.output))
