"""Pictures of some patches: what was seen, what models made of it, and how far it is off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from cloudfree.commands.evaluate.page import PatchSection
from cloudfree.commands.evaluate.patch import NOTHING, FilledPatch, raw_of
from cloudfree.commands.evaluate.summary import ScoredPatch
from cloudfree.core.radiometry import Float32
from cloudfree.datasets.patch import Patch
from cloudfree.report.metric_format import PSNR, SSIM, percent
from cloudfree.report.pictures import TRUE_COLOUR, error_colours, radar_colours, stretch_of
from cloudfree.report.scene_section import Picture


def choose_shown(patches: Sequence[ScoredPatch], method: str, count: int) -> list[ScoredPatch]:
    """Patches from the worst to the best PSNR of a method, evenly spread in rank."""
    ranked = sorted(patches, key=lambda patch: patch.figures[method].all.psnr or 0.0)
    if count >= len(ranked):
        return ranked
    places = np.linspace(0, len(ranked) - 1, count).round().astype(int)
    return [ranked[place] for place in places]


def patch_section(
    scored: ScoredPatch, patch: Patch, restored: Mapping[str, FilledPatch]
) -> PatchSection:
    """What the page shows of a patch."""
    place = "" if scored.place == scored.name else f"{scored.place}, "
    methods = [NOTHING, *map(raw_of, restored)]
    figures = "; ".join(f"{method} {_figures(scored, method)}" for method in methods)
    return PatchSection(
        title=scored.name,
        text=f"{place}{percent(scored.cover)} clouds and shadows; {figures}",
        pictures=tuple(_pictures(patch, restored)),
    )


def _figures(scored: ScoredPatch, method: str) -> str:
    figures = scored.figures[method].all
    return f"{PSNR.text(figures)} dB, SSIM {SSIM.text(figures)}"


def _pictures(patch: Patch, restored: Mapping[str, FilledPatch]) -> Iterator[Picture]:
    # One stretch for all, that of the clear image: colours can be compared.
    visible = set(TRUE_COLOUR) <= set(patch.bands)
    bands = TRUE_COLOUR if visible else (patch.bands[0],) * 3
    stretch = stretch_of(patch.select(patch.clear, bands))

    def shown(name: str, label: str, caption: str, image: Float32) -> Picture:
        return Picture(name, label, caption, stretch.colours(patch.select(image, bands)))

    yield shown("before", "Cloudy", "What the network sees", patch.cloudy)
    if patch.sar is not None:
        yield Picture("sar", "Radar", "VV red, VH green, VV \N{MINUS SIGN} VH blue",
                      radar_colours(patch.sar))  # fmt: skip
    yield shown("truth", "Target", "The clear image of another date", patch.clear)
    for label, one in restored.items():
        yield shown("raw", f"{label}, raw", "The prediction for every pixel", one.raw)
        yield shown("after", f"{label}, written", "Clear pixels kept, as remove does", one.written)
        told = np.isfinite(one.raw).any(axis=(1, 2))
        yield Picture("error", f"{label}, error", "Of the prediction, mean over the bands",
                      error_colours(patch.clear[told], one.raw[told]))  # fmt: skip
