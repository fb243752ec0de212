"""Dates of a place in files: which are used, in which order, and why others are not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import CRS

from cloudfree.commands.input_files import InputFiles
from cloudfree.commands.remove.cloudy_scene import CloudyScene
from cloudfree.commands.remove.made_masks import made_masks
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.references import open_references as module
from cloudfree.commands.remove.references.open_references import open_references
from cloudfree.commands.remove.references.reference import ChosenReferences
from cloudfree.core.displacement import NO_SHIFT
from cloudfree.core.grid import Grid, Window
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.raster.area import Area, SceneArea
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.dates_of_a_place import SIDE, write_date
from tests.factories.rasters import TEN_METRES, UTM31, write_radar

LEFT, RIGHT, MIDDLE = ((slice(None), slice(*cols)) for cols in ((0, 50), (78, 128), (40, 80)))
Opener = Callable[..., ChosenReferences]


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Opener]:
    """Opens the references of a scene of 5 June with a cloud in its middle."""
    with ExitStack() as stack:
        masks = stack.enter_context(made_masks())

        def opener(
            today: Path | None = None, mask: bool = True, area: Area | None = None, **options: Any
        ):
            path = today or write_date(tmp_path / "today" / "s2_20220605.tif", MIDDLE)
            given = RemoveOptions(s2=path, **options)
            optical = stack.enter_context(OpticalScene(path, 0.0, area=area))
            made = masks.open(optical, given.mask_settings, silent) if mask else None
            scene = CloudyScene(optical, stack.enter_context(made) if made else None)
            return open_references(given, scene, masks, InputFiles(), stack, silent)

        yield opener


def _reasons(chosen: ChosenReferences) -> dict[str, str]:
    return {one.path.name: one.reason for one in chosen.left_out}


def test_a_clear_date_is_a_reference(tmp_path: Path, found: Opener) -> None:
    path = write_date(tmp_path / "s2_20220526.tif")
    chosen = found(references=(path,))
    (reference,) = chosen.references
    assert (reference.number, reference.path, reference.name) == (1, path, path.name)
    assert reference.days == pytest.approx(-10)
    assert reference.shift == NO_SHIFT
    assert reference.clear_share == pytest.approx(1, abs=0.02)
    assert reference.fills_share == pytest.approx(1, abs=0.02)
    assert reference.info.bands == reference.scene.optical.bands
    assert reference.mask.grid == reference.scene.optical.grid
    assert (reference.radar, chosen.left_out) == (None, ())


def test_dates_in_a_folder_are_ranked_and_all_others_have_a_reason(
    tmp_path: Path, found: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "dates"
    write_date(folder / "s2_20220525.tif", (slice(None), slice(40, 64)))
    write_date(folder / "s2_20220601.tif", MIDDLE)
    write_date(folder / "s2_20220615.tif", (slice(None), slice(118, 128)))
    write_date(folder / "s2_20220620.tif", (slice(None), slice(None)))
    write_date(folder / "s2_20200605.tif")
    (folder / "broken.tif").write_bytes(b"II*\x00")
    (folder / "note.txt").touch()
    with caplog.at_level(logging.INFO, "cloudfree"):
        chosen = found(references=(folder, tmp_path / "missing.tif"))
    assert [one.path.stem for one in chosen.references] == ["s2_20220615", "s2_20220525"]
    reasons = _reasons(chosen)
    assert reasons.pop("s2_20220601.tif") == "shows nothing of what clouds hide in the scene"
    assert reasons.pop("s2_20220620.tif").endswith("the rest is cloud or missing")
    assert reasons.pop("s2_20200605.tif").endswith("more than --max-age 400")
    assert reasons.pop("broken.tif").startswith("cannot be opened: ")
    assert reasons.pop("missing.tif").startswith("cannot be opened: ")
    assert not reasons
    warned = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert len([text for text in warned if "is left out: it" in text]) == 1
    assert "reference 1: s2_20220615.tif, +10 days, shows " in caplog.text


def test_no_more_than_asked_for_are_used_and_no_more_are_looked_at(
    tmp_path: Path, found: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in ("20220526", "20220516", "20220506"):
        write_date(tmp_path / "dates" / f"s2_{day}.tif")
    looked = []
    monkeypatch.setattr(module, "clear_on", lambda *args: looked.append(args) or _all(args[0]))
    chosen = found(references=(tmp_path / "dates",), max_references=1)
    assert [one.path.stem for one in chosen.references] == ["s2_20220526"]
    assert set(_reasons(chosen).values()) == {"is beyond --max-references 1"}
    assert len(looked) == 1


def _all(grid) -> np.ndarray:
    return np.ones((grid.height, grid.width), bool)


def test_a_moved_date_is_put_in_its_place_and_one_that_is_too_far_is_left_out(
    tmp_path: Path, found: Opener
) -> None:
    near = write_date(tmp_path / "near_20220526.tif", moved=(1.5, -2.0))
    far = write_date(tmp_path / "far_20220530.tif", moved=(6.0, 6.0))
    chosen = found(references=(near, far), max_shift=5.0)
    (reference,) = chosen.references
    assert (reference.shift.row, reference.shift.col) == pytest.approx((1.5, -2.0), abs=0.15)
    assert reference.shift_reason.startswith("corrected (reliability")
    reason = _reasons(chosen)["far_20220530.tif"]
    assert reason.startswith("lies elsewhere: ") and reason.endswith("more than --max-shift 5")
    plain = found(references=(near,), shift="none").references[0]
    assert (plain.shift, plain.shift_reason) == (NO_SHIFT, "not measured (--shift none)")


def test_under_an_overcast_sky_references_lie_on_the_first(tmp_path: Path, found: Opener) -> None:
    today = write_date(tmp_path / "today" / "s2_20220605.tif", (slice(None), slice(None)))
    first = write_date(tmp_path / "s2_20220604.tif", moved=(0.5, 0.0))
    second = write_date(tmp_path / "s2_20220520.tif", moved=(2.0, -2.0))
    one, other = found(today, references=(first, second)).references
    assert (one.shift, other.shift_reason.endswith(", from reference 1")) == (NO_SHIFT, True)
    assert (other.shift.row, other.shift.col) == pytest.approx((1.5, -2.0), abs=0.15)


def test_what_cannot_be_used_of_a_batch_is_no_warning(
    tmp_path: Path, found: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "cloudfree"):
        (left_out,) = found(references=(tmp_path / "missing.tif",), of_batch=True).left_out
    levels = [one.levelname for one in caplog.records if "is left out" in one.getMessage()]
    assert (left_out.named, levels) == (False, ["INFO"])


def test_scenes_of_a_batch_are_read_in_the_same_way(tmp_path: Path, found: Opener) -> None:
    path = write_date(tmp_path / "s2_20220526.tif")
    given, by_evidence = (
        found(references=(path,), s2_offset=0.0, of_batch=of_batch).references[0].scene.optical
        for of_batch in (True, False)
    )
    assert given.offset.reason.endswith("given with --s2-offset")
    assert not by_evidence.offset.reason.endswith("given with --s2-offset")


def test_where_nothing_is_hidden_nothing_is_looked_at(tmp_path: Path, found: Opener) -> None:
    today = write_date(tmp_path / "today" / "s2_20220605.tif")
    chosen = found(today, references=(write_date(tmp_path / "s2_20220526.tif"),))
    assert _reasons(chosen) == {"s2_20220526.tif": module.NOTHING_HIDDEN}


def test_without_a_mask_every_pixel_is_wanted(tmp_path: Path, found: Opener) -> None:
    path = write_date(tmp_path / "s2_20220526.tif", LEFT)
    (reference,) = found(mask=False, references=(path,)).references
    assert reference.fills_share == reference.clear_share == pytest.approx(78 / 128, abs=0.1)


def test_a_reference_may_have_fewer_bands(tmp_path: Path, found: Opener) -> None:
    bands = ("B04", "B03", "B02", "B08")
    path = write_date(tmp_path / "s2_20220526.tif", bands=bands)
    (reference,) = found(references=(path,)).references
    assert reference.info.bands == ("B02", "B03", "B04", "B08")


def test_a_date_is_cut_with_the_scene(
    tmp_path: Path, found: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few pixels around are kept, for its shift and its mask."""
    monkeypatch.setattr(module, "MARGIN_PX", 4)
    path = write_date(tmp_path / "s2_20220526.tif", moved=(1.0, 0.0))
    wkt = CRS.from_string(UTM31).to_wkt()
    part = Grid(wkt, TEN_METRES, SIDE, SIDE).crop(Window(10, 8, 110, 112))
    (reference,) = found(references=(path,), area=SceneArea(part)).references
    there = reference.scene.optical
    assert there.part == Window(6, 4, 118, 120)
    assert (reference.shift.row, reference.shift.col) == pytest.approx((1.0, 0.0), abs=0.15)
    seen = reference.ground.clear(["B04"], Window(30, 40, 20, 20))
    with OpticalScene(path, 0.0) as whole:
        moved = whole.reflectance(["B04"], Window(10 + 30 + 1, 8 + 40, 20, 20))
    assert np.abs(seen - moved).max() < 0.01


def test_references_that_are_required_have_to_be_there(tmp_path: Path, found: Opener) -> None:
    path = write_date(tmp_path / "s2_20220604.tif", MIDDLE)
    with pytest.raises(InputError, match=r"no reference can be used \(s2_20220604.tif shows noth"):
        found(references=(path,), require_references=True)
    assert found(references=(path,)).references == ()


def test_a_reference_has_the_radar_of_its_time(tmp_path: Path, found: Opener) -> None:
    paths = tuple(write_date(tmp_path / f"s2_{day}.tif") for day in ("20220526", "20220301"))
    (tmp_path / "radar").mkdir()
    for day in ("20220529", "20220610"):
        write_radar(tmp_path / "radar" / f"s1_{day}.tif", SIDE, SIDE)
    chosen = found(references=paths, reference_s1=(tmp_path / "radar",))
    near, old = chosen.references
    assert near.radar is not None
    assert near.radar.sar.path.name == "s1_20220529.tif"
    assert near.radar.shift == NO_SHIFT
    assert old.radar is None


def test_real_dates_of_a_year_are_ranked_and_put_in_their_place(data: Path, found: Opener) -> None:
    folder = data / "timeseries" / "rois2017_146"
    (today,) = folder.glob("*_2018-09-18_*.tif")
    chosen = found(today, references=(folder,))
    assert [round(one.days or 0) for one in chosen.references] == [10, -15, 20, -25]
    for reference in chosen.references:
        assert reference.shift_reason.startswith("corrected"), reference.name
        assert 0.5 < reference.shift.length < 1.2
    assert _reasons(chosen)[today.name] == "is the scene itself"
    assert len(chosen.left_out) == 26


def test_real_dates_of_the_other_level_are_taken_only_if_allowed(data: Path, found: Opener) -> None:
    folder = data / "ssl4eo"
    chosen = found(folder / "l1c_20200823.tif", references=(folder,))
    assert [one.name for one in chosen.references] == ["l1c_20200604.tif"]
    assert "--any-level allows" in _reasons(chosen)["l2a_20200813.tif"]
    allowed = found(folder / "l1c_20200823.tif", references=(folder,), any_level=True)
    assert allowed.references[0].name == "l2a_20200813.tif"
