"""One warning silenced, in several threads at once."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from threading import Event
from types import SimpleNamespace

import pytest

from cloudfree.raster import gdal as quiet
from cloudfree.raster.gdal import ignored_warning, relative_to
from tests.factories.patience import PATIENCE_S


@pytest.mark.parametrize("of_the_thread", [False, True], ids=["of the process", "of the thread"])
def test_only_the_named_warning_is_silent(
    monkeypatch: pytest.MonkeyPatch, of_the_thread: bool
) -> None:
    flags = SimpleNamespace(context_aware_warnings=of_the_thread)
    monkeypatch.setattr(quiet, "sys", SimpleNamespace(flags=flags))
    with ignored_warning(UserWarning):
        warnings.warn("unheard", UserWarning, stacklevel=1)
        with pytest.raises(FutureWarning):
            warnings.warn("heard", FutureWarning, stacklevel=1)
    with pytest.raises(UserWarning):
        warnings.warn("heard again", UserWarning, stacklevel=1)


@pytest.mark.parametrize("first_out", ["the first in", "the second in"])
def test_blocks_of_threads_overlap_and_none_waits_for_another(first_out: str) -> None:
    entered, left = Event(), Event()

    def second() -> None:
        with ignored_warning(UserWarning):
            entered.set()
            if first_out == "the first in":
                assert left.wait(PATIENCE_S)
            warnings.warn("unheard", UserWarning, stacklevel=1)

    with ThreadPoolExecutor(1) as pool:
        with ignored_warning(UserWarning):
            running = pool.submit(second)
            assert entered.wait(PATIENCE_S), "it waits for the work of another thread"
            if first_out == "the second in":
                running.result()
            warnings.warn("unheard", UserWarning, stacklevel=1)
        left.set()
        running.result()
    with pytest.raises(UserWarning):
        warnings.warn("heard", UserWarning, stacklevel=1)


def test_filters_that_others_set_meanwhile_stay() -> None:
    with warnings.catch_warnings():
        with ignored_warning(UserWarning):
            warnings.simplefilter("ignore", FutureWarning)
        warnings.warn("unheard", FutureWarning, stacklevel=1)
        with pytest.raises(UserWarning):
            warnings.warn("heard", UserWarning, stacklevel=1)


def test_filters_that_are_emptied_meanwhile_do_no_harm() -> None:
    with warnings.catch_warnings():
        with ignored_warning(UserWarning):
            warnings.resetwarnings()
        warnings.simplefilter("error")
        with pytest.raises(UserWarning):
            warnings.warn("heard", UserWarning, stacklevel=1)


def test_paths_are_relative_where_both_lie_on_this_machine(tmp_path: Path) -> None:
    here = tmp_path / "a" / "l1c.tif"
    assert relative_to(tmp_path / "out", here) == PurePosixPath("../a/l1c.tif")
    assert relative_to(Path("s3://bucket/out"), here) == PurePosixPath(here.as_posix())
    for text in ("https://host/items/S2B", "/vsis3/bucket/l1c.tif"):
        assert relative_to(tmp_path, Path(text)) == PurePosixPath(text)
    assert relative_to(tmp_path, None) is None
