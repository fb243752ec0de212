"""Cloud cover of patches, and test sets with as many patches of each bin of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from cloudfree.cloudmask.published_cover import (
    COVER_BANDS,
    published_clouds,
    published_shadows,
)
from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.evaluate.patch import classes_of
from cloudfree.core.choices import PUBLISHED_MASK, CoverOf
from cloudfree.core.mask_classes import MaskClass, is_cloud_or_shadow
from cloudfree.core.terminal import Progress, muted_log
from cloudfree.datasets.date_choice import choose_dates
from cloudfree.datasets.patch import Patch, Sample, Skipped, read_patch
from cloudfree.datasets.split_choice import ChosenSplit
from cloudfree.errors import CloudfreeError, ErrorCode, InputError
from cloudfree.metrics.cover_bins import bin_name, cover_bin
from cloudfree.metrics.protocol import PROTOCOLS
from cloudfree.parallel.threads import prefetch

logger = logging.getLogger("cloudfree")


def cover_of(patch: Patch, what: CoverOf, published: bool) -> float:
    """The fraction of a patch under cloud, or under cloud or shadow.

    Clouds are those of the published score without dilation, shadows those that `mask` finds; with
    `published` both are exactly those of the published detector.

    Raises
    ------
    InputError
        Bands that the detector needs are missing.
    """
    if published:
        patch.require(COVER_BANDS, "the published detector")
        planes = dict(zip(patch.bands, patch.cloudy, strict=True))
        covered = published_clouds(planes)
        if what == "cloud-and-shadow":
            covered |= published_shadows(planes)
    else:
        classes = classes_of(patch, PUBLISHED_MASK)
        covered = classes == MaskClass.CLOUD if what == "cloud" else is_cloud_or_shadow(classes)
    return float(covered.mean())


def balanced(
    split: ChosenSplit, per_bin: int, options: EvaluateOptions, progress: Progress
) -> ChosenSplit:
    """The split with so many patches of each bin of cover, drawn by the seed.

    A bin with fewer patches is taken whole, which a warning says. Patches that cannot be read are
    left out.

    Raises
    ------
    InputError
        No patch can be read.
    """
    covers = _covers(split.samples, options, progress)
    drawn = draw(covers, per_bin, options.bins, options.seed)
    for index in range(options.bins):
        found = sum(cover_bin(covers[name], options.bins) == index for name in drawn)
        if found < per_bin:
            logger.warning("%d patches of %s cover instead of %d", found,
                           bin_name(index, options.bins), per_bin)  # fmt: skip
    what = f"{per_bin} patches for each of {options.bins} bins of cover, seed {options.seed}"
    name = f"{split.name}, {what}"
    samples = [one for one in split.samples if one.name in drawn]
    text = _text(
        f"{name}; cover is that of {cover_words(options)}.", {name: covers[name] for name in drawn}
    )
    return replace(split, name=name, samples=samples, file=text)


def draw(covers: Mapping[str, float], per_bin: int, bins: int, seed: int) -> set[str]:
    """Names of at most so many patches of each bin; the same for the same names and seed."""
    random = Random(seed)
    # One number for each patch, whatever its bin: more in one bin change no other.
    ranks = {name: random.random() for name in sorted(covers)}
    drawn: set[str] = set()
    for index in range(bins):
        inside = [name for name, cover in covers.items() if cover_bin(cover, bins) == index]
        drawn.update(sorted(inside, key=ranks.__getitem__)[:per_bin])
    return drawn


def cover_words(options: EvaluateOptions) -> str:
    """What counts as cover, in words."""
    what = "clouds" if options.cover == "cloud" else "clouds and shadows"
    published = PROTOCOLS[options.protocol].is_published
    detector = "the published detector" if published else "the published score and own shadows"
    return f"{what} of the whole patch by {detector}"


def _covers(
    samples: Sequence[Sample], options: EvaluateOptions, progress: Progress
) -> dict[str, float]:
    """The cover of each patch that can be read, by its name."""
    published = PROTOCOLS[options.protocol].is_published

    def find_cover(sample: Sample) -> float | Skipped:
        try:
            chosen = choose_dates(sample)
            # Clouds are found in the cloudy image alone.
            patch = read_patch(replace(chosen, clear=chosen.optical, sar=None, others=()))
            return cover_of(patch, options.cover, published)
        except (CloudfreeError, OSError) as error:
            return Skipped(sample.name, str(error))

    with muted_log(), prefetch(find_cover, samples) as found:
        covers = {
            sample.name: one for sample, one in progress(found, len(samples), "cover", "patch")
        }
    known = {name: one for name, one in covers.items() if not isinstance(one, Skipped)}
    if not known:
        raise InputError(
            f"the cloud cover of none of {len(samples)} patches can be found",
            wanted="cloudy images with the bands of the published detector",
            hint="leave --per-bin out to see what each lacks; other formats need --allow-remote",
            code=ErrorCode.NO_DATA,
        )
    return known


def _text(header: str, covers: Mapping[str, float]) -> str:
    """A split file with the patches in the order of their names, and the cover of each."""
    rows = [f'"{name}",test,{cover:.4f}' for name, cover in sorted(covers.items())]
    return "\n".join([f"# {header}", "name,split,cover", *rows, ""])
