"""Means of patches by pixels, cloud cover, band and place: known answers."""

from __future__ import annotations

from cloudfree.commands.evaluate.summary import ScoredPatch, SummaryRow, summarise
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.metrics.protocol import PatchMetrics

BANDS = ("B02", "B03")


def _patch(name: str, place: str, cover: float, psnr: float) -> ScoredPatch:
    """A patch whose clear pixels are 10 dB better and whose second band is 1 dB worse."""
    whole, clear, band = (Metrics(100, psnr + more, 0.5, 3.0, 0.1, 0.2) for more in (0, 10, -1))
    figures = PatchMetrics(whole, whole, clear, (whole, band))
    return ScoredPatch(name, place, "", cover, cover, {"m": figures})


PATCHES = (
    _patch("a", "one", 0.0, 20.0), _patch("b", "one", 0.1, 30.0), _patch("c", "two", 1.0, 40.0),
)  # fmt: skip


def _psnr(rows: tuple[SummaryRow, ...], kind: str) -> dict[str, float | None]:
    return {row.group: row.means.figures.psnr for row in rows if row.kind == kind}


def test_every_group_has_the_mean_of_its_patches() -> None:
    rows = summarise(PATCHES, BANDS)
    assert _psnr(rows, "pixels") == {"all": 30.0, "cloudy": 30.0, "clear": 40.0}
    assert _psnr(rows, "band") == {"B02": 30.0, "B03": 29.0}
    assert _psnr(rows, "place") == {"one": 25.0, "two": 40.0}
    assert _psnr(rows, "cover") == {
        "0-20 %": 25.0, "20-40 %": None, "40-60 %": None, "60-80 %": None, "80-100 %": 40.0,
    }  # fmt: skip


def test_means_over_places_and_within_a_place_have_intervals() -> None:
    have = {
        (row.kind, row.group): "psnr" in row.means.intervals for row in summarise(PATCHES, BANDS)
    }
    assert {key for key, found in have.items() if found} == {("pixels", "all"), ("place", "one")}


def test_methods_stand_side_by_side_in_their_order() -> None:
    figures = PATCHES[0].figures["m"]
    patch = ScoredPatch("a", "one", "", 0.0, 0.0, {"z": figures, "a": figures})
    methods = [row.method for row in summarise([patch], BANDS)]
    assert methods == ["z", "a"] * (len(methods) // 2)


def test_bins_may_be_others_than_five() -> None:
    rows = summarise(PATCHES, BANDS, bins=3)
    assert _psnr(rows, "cover") == {"0-33.3 %": 25.0, "33.3-66.7 %": None, "66.7-100 %": 40.0}
