"""Target and shown dates of a time series, by its clouds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.datasets import date_choice
from cloudfree.datasets.date_choice import choose_dates
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Sample, read_patch
from cloudfree.errors import InputError
from tests.factories.rasters import write_raster
from tests.factories.sample_folders import write_triplet
from tests.factories.time_series import SERIES_SIDE, SERIES_TEST, SHARES, write_time_series


def _sample(folder: Path, shown: int, shares: Sequence[float] = SHARES) -> Sample:
    write_time_series(folder, SERIES_TEST, shares)
    (sample,) = list_samples(folder, dates=shown).samples
    return sample


def _numbers(sample: Sample) -> tuple[int, int, list[int]]:
    """Which dates are filled, target and others."""

    def number(path: Path) -> int:
        return int(path.parent.name)

    assert sample.cloudy is not None
    others = [number(one.optical) for one in sample.others]
    return number(sample.cloudy), number(sample.clear), others


@pytest.mark.parametrize(
    ("shown", "expected"), [(1, (0, 2, [])), (3, (1, 2, [0, 3])), (4, (1, 2, [0, 3, 4]))]
)
def test_the_clearest_date_is_the_target_and_the_first_others_are_shown(
    tmp_path: Path, shown: int, expected: tuple[int, int, list[int]]
) -> None:
    """Of the shown ones the nearest to the target is filled."""
    assert _numbers(choose_dates(_sample(tmp_path, shown))) == expected


def test_the_filled_date_has_its_own_radar_and_day(tmp_path: Path) -> None:
    sample = _sample(tmp_path, 3)
    chosen = choose_dates(sample)
    assert (chosen.sar, chosen.day) == (sample.series[1].sar, sample.series[1].day)
    assert chosen.others == (sample.series[0], sample.series[3])


def test_a_date_without_data_counts_as_fully_cloudy(tmp_path: Path) -> None:
    sample = _sample(tmp_path, 1, shares=(1.0, 0.2, 0.5))
    blank = np.zeros((13, SERIES_SIDE, SERIES_SIDE), np.uint16)
    write_raster(sample.series[1].optical, blank, OPTICAL_BANDS)
    assert _numbers(choose_dates(sample)) == (0, 2, [])


def test_each_series_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = _sample(tmp_path, 2)
    seen = []
    measure = date_choice._cloud_share
    monkeypatch.setattr(
        date_choice, "_cloud_share", lambda *given: seen.append(given) or measure(*given)
    )
    assert choose_dates(sample) is choose_dates(sample)
    assert len(seen) == len(SHARES)


def test_a_patch_of_one_date_is_left_as_it_is(tmp_path: Path) -> None:
    write_triplet(tmp_path, "a")
    (sample,) = list_samples(tmp_path).samples
    assert choose_dates(sample) == sample


def test_a_date_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    sample = _sample(tmp_path, 1)
    sample.series[4].optical.write_bytes(b"none")
    with pytest.raises(InputError, match=sample.series[4].optical.name):
        choose_dates(sample)


def test_the_pixels_of_all_shown_dates_are_read(tmp_path: Path) -> None:
    patch = read_patch(choose_dates(_sample(tmp_path, 3)))
    assert patch.day == 1387.0
    assert [one.days for one in patch.others] == [-12.0, 24.0]
    shares = [(image[1] > 0.3).mean() for image in (patch.cloudy, patch.clear)]
    shares += [(one.optical[1] > 0.3).mean() for one in patch.others]
    assert shares == pytest.approx([0.9, 0.0, 0.4, 0.3], abs=0.02)
    assert all(one.sar is not None for one in patch.others)


def test_of_a_real_series_the_first_clear_date_is_the_target(data: Path) -> None:
    (sample,) = list_samples(data / "timeseries", dates=3).samples
    assert (sample.place, len(sample.series)) == ("ROIs2017_146", 30)
    chosen = choose_dates(sample)
    assert "_2018-02-10_" in chosen.clear.name
    assert "_2018-01-31_" in str(chosen.cloudy)
    assert [one.day - chosen.day for one in chosen.others if chosen.day] == [-25.0, -10.0]
