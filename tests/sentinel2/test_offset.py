"""The chain of evidence, link by link."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.errors import InputError
from cloudfree.raster.gdal import ignored_warning
from cloudfree.sentinel2.dark_pixel_check import dark_pixel_evidence
from cloudfree.sentinel2.offset import (
    OffsetEvidence,
    baseline_evidence,
    baseline_offset,
    decide_offset,
    flag_evidence,
    stated_offsets,
)

METADATA = OffsetEvidence("metadata", -1000, "-1000 by RADIO_ADD_OFFSET in MTD_MSIL1C.xml")
TAG = OffsetEvidence("band tag", 0, "0 by the band tag RADIO_ADD_OFFSET in a.tif")
NAME = OffsetEvidence("name", -1000, "-1000 by baseline N0400 of product X, since 04.00")
DARK = OffsetEvidence("statistics", 0, "0, as 1 % of B10 lies below 8")
UNDECIDED = OffsetEvidence("statistics", None, "the darkest numbers fit both: B12 2000")


def test_the_first_that_can_tell_decides_and_everyone_is_remembered() -> None:
    decision = decide_offset((METADATA, NAME, UNDECIDED), "a.tif")
    assert (decision.offset_dn, decision.source) == (-1000, "metadata")
    assert decision.reason == METADATA.reason
    assert decision.evidence == (METADATA, NAME, UNDECIDED)
    assert decide_offset((UNDECIDED, NAME), "a.tif").source == "name"


@pytest.mark.parametrize(("one", "other"), list(permutations((METADATA, TAG, DARK), 2)))
def test_contradictions_are_refused_and_both_are_named(
    one: OffsetEvidence, other: OffsetEvidence
) -> None:
    if one.offset_dn == other.offset_dn:
        assert decide_offset((one, other), "a.tif").offset_dn == one.offset_dn
        return
    with pytest.raises(InputError) as refusal:
        decide_offset((one, UNDECIDED, other), "a.tif")
    assert str(refusal.value) == (
        f"contradicting radiometric offsets of a.tif: {one.reason} ({one.source}), but "
        f"{other.reason} ({other.source}); wanted evidence that agrees; "
        "give it with --s2-offset: 0 before processing baseline 04.00, -1000 since"
    )


@given(st.sampled_from([0.0, -1000.0]), st.permutations((METADATA, TAG, NAME, DARK, UNDECIDED)))
def test_a_flag_overrules_everything(offset: float, others: list[OffsetEvidence]) -> None:
    decision = decide_offset((flag_evidence(offset), *others), "a.tif")
    assert (decision.offset_dn, decision.source) == (offset, "flag")


@pytest.mark.parametrize("offset", [1000.0, -100.0, -0.1, float("nan")])
def test_an_offset_that_no_product_has_is_refused(offset: float) -> None:
    with pytest.raises(
        InputError, match=rf"^--s2-offset {offset:g}; wanted 0 or -1000, .*; look up the processing"
    ):
        flag_evidence(offset)


def test_without_evidence_nothing_is_guessed() -> None:
    with pytest.raises(
        InputError, match=r"offset of a\.tif is not known \(the darkest numbers fit"
    ):
        decide_offset((UNDECIDED,), "a.tif")
    with pytest.raises(InputError, match=r"not known \(no metadata\); .* give it with --s2-offset"):
        decide_offset((), "a.tif")


def test_offsets_that_differ_between_bands_are_a_contradiction() -> None:
    assert len(stated_offsets("metadata", [-1000] * 13, "RADIO_ADD_OFFSET", "x")) == 1
    with pytest.raises(InputError, match=r"-1000 by RADIO_ADD_OFFSET .* 0 by RADIO_ADD_OFFSET"):
        decide_offset(stated_offsets("metadata", [-1000, 0], "RADIO_ADD_OFFSET", "x"), "a.tif")


@pytest.mark.parametrize(
    ("baseline", "offset"),
    [("02.14", 0), ("03.01", 0), ("N0301", 0), ("04.00", -1000), ("N0400", -1000), ("05.11", -1000),
     ("N0511", -1000), ("Not applicable", None), ("", None)],
)  # fmt: skip
def test_the_baseline_04_00_brought_the_offset(baseline: str, offset: float | None) -> None:
    assert baseline_offset(baseline) == offset
    assert baseline_evidence("name", baseline, "x").offset_dn == offset


def _clear(dark: float = 10.0) -> dict[str, np.ndarray]:
    """Clear ground: half of it green, half water."""
    rng = np.random.default_rng(0)
    green = dict.fromkeys(OPTICAL_BANDS, 2000.0) | {"B10": dark}
    water = dict.fromkeys(OPTICAL_BANDS, 300.0) | {"B10": dark, "B11": dark, "B12": dark}
    return {
        band: np.concatenate([rng.normal(level, 2, 500) for level in (green[band], water[band])])
        for band in OPTICAL_BANDS
    }


@pytest.mark.parametrize("bands", [OPTICAL_BANDS, ("B10",), ("B08", "B11", "B12"), ("B8A", "B12")])
def test_dark_numbers_exclude_an_offset(bands: tuple[str, ...]) -> None:
    seen = dark_pixel_evidence({band: _clear()[band] for band in bands})
    assert (seen.offset_dn, seen.source) == (0, "statistics")
    assert seen.reason.startswith("0, as 1 % of B")
    assert seen.reason.endswith("with an offset")


@pytest.mark.parametrize("bands", [OPTICAL_BANDS, ("B10",), ("B08", "B11", "B12")])
def test_black_at_1000_betrays_the_offset(bands: tuple[str, ...]) -> None:
    numbers = {band: pixels + 1000 for band, pixels in _clear().items()}
    assert dark_pixel_evidence({band: numbers[band] for band in bands}).offset_dn == -1000


def test_bright_scenes_say_nothing() -> None:
    snow = {band: np.random.default_rng(0).normal(6000, 800, 1000) for band in OPTICAL_BANDS}
    assert dark_pixel_evidence(snow).offset_dn is None
    veiled = {"B10": np.random.default_rng(0).uniform(1000, 2000, 1000)}
    assert dark_pixel_evidence(veiled).offset_dn is None
    assert dark_pixel_evidence({}).offset_dn is None


def test_a_hazy_desert_without_an_offset_is_not_taken_for_water() -> None:
    """As dark as 0.1 in both short-wave bands, but bright in the near infrared."""
    rng = np.random.default_rng(0)
    numbers = {band: rng.normal(1020, 8, 1000) for band in ("B11", "B12")}
    assert dark_pixel_evidence({**numbers, "B8A": rng.normal(2500, 50, 1000)}).offset_dn is None


def test_pixels_without_data_are_no_dark_ground() -> None:
    numbers = {band: pixels + 1000 for band, pixels in _clear().items()}
    for pixels in numbers.values():
        pixels[:100] = 0
    assert dark_pixel_evidence(numbers).offset_dn == -1000


@pytest.mark.parametrize("added", [0, 1000])
@pytest.mark.parametrize("without", [(), ("B10",)])
def test_real_scenes_are_never_taken_for_the_other_kind(
    data, added: int, without: tuple[str, ...]
) -> None:
    """All of the 13-band scenes are without an offset; some are clouds all over."""
    paths = [*(data / "triplets").glob("*s2*.tif"), *(data / "scenes").glob("*s2*.tif"),
             *(data / "timeseries").rglob("*.tif")]  # fmt: skip
    answers = []
    for path in paths:
        with ignored_warning(rasterio.errors.NotGeoreferencedWarning), rasterio.open(path) as file:
            pixels = file.read().reshape(13, -1).astype(np.int32)
        numbers = dict(zip(OPTICAL_BANDS, np.where(pixels > 0, pixels + added, 0), strict=True))
        kept = {band: sample for band, sample in numbers.items() if band not in without}
        answers.append(dark_pixel_evidence(kept).offset_dn)
    assert len(answers) > 60
    assert set(answers) <= {-added, None}
    # Without an offset nearly all are told; with it those with the cirrus band mostly are.
    told = np.mean([answer is not None for answer in answers])
    assert told > {(0, 0): 0.95, (0, 1): 0.85, (1000, 0): 0.6, (1000, 1): 0.0}[added, len(without)]
