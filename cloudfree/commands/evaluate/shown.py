"""Pictures of chosen patches, which `compare` puts beside those of other models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloudfree.commands.evaluate.page import patch_pictures
from cloudfree.commands.evaluate.patch import raw_of, written_of
from cloudfree.commands.evaluate.result import SHOWN
from cloudfree.commands.evaluate.scoring import CloudyPatch, Scoring
from cloudfree.datasets.patch import Sample
from cloudfree.errors import ErrorCode, InputError
from cloudfree.report.pictures import UInt8Image

# Names of the pictures beside those of the models, in their order.
CLOUDY, RADAR, TRUTH = "cloudy", "radar", "truth"

_NAMES = {"before": CLOUDY, "sar": RADAR, "truth": TRUTH}


@dataclass(frozen=True)
class ShownPatches:
    """File names by patch and picture, and the pixels by file name."""

    files: Mapping[str, Mapping[str, str]]
    pixels: Mapping[str, UInt8Image]


def check_shown(names: Sequence[str], samples: Sequence[Sample]) -> None:
    """Check that patches to be shown are among those that are scored.

    Raises
    ------
    InputError
        One is not.
    """
    known = {sample.name for sample in samples}
    if unknown := [name for name in names if name not in known]:
        raise InputError(
            f"no patch {unknown[0]} among the {len(samples)} that are scored",
            wanted=f"names such as {samples[0].name}",
            hint="correct --show",
            code=ErrorCode.BAD_OPTION,
        )


def draw_shown(scoring: Scoring, samples: Sequence[Sample]) -> ShownPatches:
    """The cloudy image, radar, truth and both images of each model, of patches that can be read.

    All optical pictures of a patch have the stretch of its truth.
    """
    files: dict[str, dict[str, str]] = {}
    pixels: dict[str, UInt8Image] = {}
    for number, sample in enumerate(samples, start=1):
        for picture, drawn in _pictures(scoring, sample):
            file = f"{SHOWN}/{number}_{_plain(sample.name)}_{_plain(picture)}.png"
            files.setdefault(sample.name, {})[picture] = file
            pixels[file] = drawn
    return ShownPatches(files, pixels)


def _pictures(scoring: Scoring, sample: Sample) -> Iterator[tuple[str, UInt8Image]]:
    cloudy = scoring.prepare(sample)
    if not isinstance(cloudy, CloudyPatch):
        return
    filled = scoring.fill(cloudy)
    raw, written = (iter([of(label) for label in filled]) for of in (raw_of, written_of))
    for one in patch_pictures(cloudy.patch, filled):
        if one.name in _NAMES:
            yield _NAMES[one.name], one.pixels
        elif one.name in ("raw", "after"):
            yield next(raw if one.name == "raw" else written), one.pixels


def _plain(name: str) -> str:
    """A name for a file: letters, digits, dots and dashes."""
    return re.sub(r"[^\w.-]+", "_", name)
