"""The bench of one date on what is small of it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.bench.one_date import COLUMNS, psnr, table
from tests.bench.one_date_cases import Case, Place, open_case, places


def _case(region: str) -> Case:
    none = np.zeros((1, 1, 1), np.float32)
    place = Place(region, "a", Path("s2"), Path("s1"))
    return Case(place, ("B02",), none, none, none, np.zeros((1, 1), np.uint8))


def _scores(ridge: float, both: float) -> dict[str, float]:
    return {**dict.fromkeys(COLUMNS, 20.0), "ridge": ridge, "both": both}


def test_the_region_that_gains_least_comes_first_and_tuned_ones_do_not_count() -> None:
    scored = [
        (_case("rio"), _scores(20, 25)), (_case("dubai"), _scores(22, 21)),
        (_case("paris"), _scores(20, 40)),
    ]  # fmt: skip
    _, *rows = [line.split() for line in table(scored)]
    assert [row[0] for row in rows[:-1]] == ["dubai", "rio", "paris*"]
    assert float(rows[-1][-3]) == pytest.approx((25 + 21) / 2)


def test_psnr_is_that_of_the_definition() -> None:
    assert psnr(np.full(5, 0.3), np.full(5, 0.2)) == pytest.approx(20)
    assert psnr(np.full(5, 7.0), np.full(5, 0.9)) == pytest.approx(20)


def test_clouds_hide_the_clear_image_and_the_same_number_draws_the_same(data: Path) -> None:
    (place,) = islice((one for one in places(data) if one.region == "chile"), 1)
    case, again = open_case(place, 3), open_case(place, 3)
    assert np.array_equal(case.mask, again.mask)
    assert 0.2 < case.hidden.mean() < 0.8
    clear = case.mask == 0
    assert np.array_equal(case.cloudy[:, clear], case.clear[:, clear])
    assert (case.cloudy[:, case.hidden] != case.clear[:, case.hidden]).any(axis=0).mean() > 0.9
    assert open_case(place, 3, 4).bands == ("B02", "B03", "B04", "B08")


def test_all_radar_is_in_decibels(data: Path) -> None:
    for number, place in enumerate(places(data)):
        if number % 7 == 0:
            radar = open_case(place, number).radar
            assert -25 < np.nanmedian(radar[0]) < 0, place.name
            assert np.nanmedian(radar[1]) < np.nanmedian(radar[0]), place.name
