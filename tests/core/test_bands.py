from __future__ import annotations

import pytest

from cloudfree.core.bands import (
    OPTICAL_BANDS,
    colour_interpretation,
    find_optical_bands,
    find_polarisations,
    optical_band,
    polarisation,
)
from cloudfree.errors import InputError


@pytest.mark.parametrize(
    ("description", "band"),
    [
        ("B02", "B02"),
        ("B2", "B02"),
        ("b8a", "B8A"),
        ("B08A", "B8A"),
        ("B8A, central wavelength 865 nm", "B8A"),
        ("B12 (SWIR)", "B12"),
        ("red", "B04"),
        ("swir16", "B11"),
        ("B13", None),
        ("B021", None),
        ("SCL", None),
        ("", None),
        (None, None),
    ],
)
def test_one_band_has_many_names(description: str | None, band: str | None) -> None:
    assert optical_band(description) == band


def test_true_colour_is_red_green_and_blue_wherever_the_bands_stand() -> None:
    shown = colour_interpretation(["B02", "B03", "B04", "B08", None])
    assert shown == ("blue", "green", "red", "undefined", "undefined")


@pytest.mark.parametrize(
    ("description", "found"),
    [("VV", "VV"), ("sigma0_vh_db", "VH"), ("Sigma0 VV", "VV"), ("VV/VH", None), ("angle", None)],
)
def test_polarisation_is_found_in_a_description(description: str, found: str | None) -> None:
    assert polarisation(description) == found


def test_names_decide_before_positions() -> None:
    order = ["B04", "B03", "B02", "SCL"]
    assert find_optical_bands(order) == {"B04": 0, "B03": 1, "B02": 2}


@pytest.mark.parametrize(("count", "has_cirrus"), [(13, True), (12, False)])
def test_unnamed_bands_are_read_by_position_where_the_count_is_unambiguous(
    count: int, has_cirrus: bool
) -> None:
    found = find_optical_bands([None] * count)
    assert list(found.values()) == list(range(count))
    assert ("B10" in found) == has_cirrus


@pytest.mark.parametrize("count", [1, 3, 4, 10, 14])
def test_an_ambiguous_count_is_refused(count: int) -> None:
    with pytest.raises(
        InputError, match=rf"^{count} bands without names of .*; wanted .*; name the"
    ):
        find_optical_bands([None] * count)


def test_a_band_twice_is_refused() -> None:
    with pytest.raises(InputError, match=r"band B02 twice \(bands 1 and 3\)"):
        find_optical_bands(["B2", "B3", "blue"])


def test_vh_before_vv_is_put_right_by_name() -> None:
    assert find_polarisations(["VH", "VV"]) == {"VH": 0, "VV": 1}


def test_one_polarisation_alone_is_found_beside_other_bands() -> None:
    assert find_polarisations(["angle", "VV"]) == {"VV": 1}
    assert find_polarisations(["VH"]) == {"VH": 0}


@pytest.mark.parametrize("names", [["HH", "HV"], ["sigma0_hh", "sigma0_hv"], ["HV", None]])
def test_other_polarisations_are_refused_by_name(names: list[str | None]) -> None:
    with pytest.raises(
        InputError, match=r"wanted one VV and one VH band, or one .*; choose a scene"
    ):
        find_polarisations(names)


@pytest.mark.parametrize("names", [["Band 1", "Band 2"], ["angle", None], [None] * 3, [None]])
def test_only_two_bands_without_any_name_are_read_by_position(names: list[str | None]) -> None:
    assert find_polarisations([None, None]) == {"VV": 0, "VH": 1}
    with pytest.raises(
        InputError, match=r"wanted one VV and one VH band, or one .*; name the bands"
    ):
        find_polarisations(names)


def test_the_product_has_thirteen_bands() -> None:
    assert len(set(OPTICAL_BANDS)) == 13
