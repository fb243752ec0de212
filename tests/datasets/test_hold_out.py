"""What is held out: names of patches, places and seasons, and days."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.hold_out import acquired, read_hold_out
from cloudfree.datasets.patch import Sample
from cloudfree.errors import InputError
from tests.factories.sample_folders import TEST, TRAIN, touch_patch, write_triplet
from tests.factories.time_series import SERIES_TEST, touch_time_series


@pytest.fixture
def samples(tmp_path: Path) -> tuple[Sample, ...]:
    for place in (TEST, TRAIN, "ROIs1868_summer_73"):
        touch_patch(tmp_path, place)
    return list_samples(tmp_path).samples


@pytest.fixture
def dated(tmp_path: Path) -> tuple[Sample, ...]:
    for name in ("north_20180605", "north_20180710", "south_20180901"):
        write_triplet(tmp_path, name)
    return list_samples(tmp_path, offset_dn=0.0).samples


@pytest.mark.parametrize(
    ("name", "count"), [(TEST, 1), (f"{TEST}_p30", 1), ("spring", 2), ("summer", 1)]
)
def test_a_patch_a_place_or_a_season_is_held_out(
    samples: tuple[Sample, ...], name: str, count: int
) -> None:
    held_out = read_hold_out([name], samples)
    assert sum(held_out.holds(sample) for sample in samples) == count


@pytest.mark.parametrize(
    ("days", "count"),
    [("2018-06-05", 1), ("2018-06-01/2018-08-31", 2), ("2019-01-01/2019-12-31", 0)],
)
def test_days_are_those_of_the_cloudy_image(
    dated: tuple[Sample, ...], days: str, count: int
) -> None:
    held_out = read_hold_out([days], dated)
    assert sum(held_out.holds(sample) for sample in dated) == count


def test_a_patch_named_by_its_day_is_held_out_by_its_name(tmp_path: Path) -> None:
    write_triplet(tmp_path / "2018-06-05", "")
    samples = list_samples(tmp_path, offset_dn=0.0).samples
    assert read_hold_out(["2018-06-05"], samples).holds(samples[0])


def test_the_day_in_a_name_is_noon(dated: tuple[Sample, ...]) -> None:
    assert acquired(dated[0]) == datetime(2018, 6, 5, 12, tzinfo=UTC)


def test_nothing_is_held_out_by_default(samples: tuple[Sample, ...]) -> None:
    assert not any(read_hold_out([], samples).holds(sample) for sample in samples)


def test_what_is_not_there_is_refused(samples: tuple[Sample, ...]) -> None:
    with pytest.raises(InputError) as error:
        read_hold_out(["autumn"], samples)
    assert str(error.value) == (
        f"no patch or place autumn to hold out; wanted names such as {TEST}, a season, or days "
        "such as 2018-06-01/2018-08-31; correct --hold-out"
    )
    with pytest.raises(InputError, match="--hold-out 2018-08-31/2018-06-01; wanted a day such as"):
        read_hold_out(["2018-08-31/2018-06-01"], samples)


def test_days_of_patches_without_a_date_are_refused(tmp_path: Path) -> None:
    write_triplet(tmp_path, "north")
    samples = list_samples(tmp_path, offset_dn=0.0).samples
    held_out = read_hold_out(["2018-06-05"], samples)
    with pytest.raises(InputError, match=r"no date of north in north_s2_cloudy\.tif, of which"):
        held_out.holds(samples[0])


def test_days_of_time_series_are_refused(tmp_path: Path) -> None:
    touch_time_series(tmp_path, SERIES_TEST)
    samples = list_samples(tmp_path, dates=3).samples
    held_out = read_hold_out(["2018-06-05"], samples)
    with pytest.raises(InputError, match=f"days held out of the time series {SERIES_TEST}_p7"):
        held_out.holds(samples[0])
