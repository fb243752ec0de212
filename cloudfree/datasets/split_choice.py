"""Which patches of a data set are used: those of a part of its split, or of a split file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from cloudfree.core.choices import SplitChoice
from cloudfree.datasets.folder import Listing, choose_split, regroup
from cloudfree.datasets.patch import Sample
from cloudfree.datasets.split_file import Split, SplitDraw, SplitList, read_split
from cloudfree.errors import ErrorCode, InputError

logger = logging.getLogger("cloudfree")


@dataclass(frozen=True)
class ChosenSplit:
    """The patches of one part of a data set, and those of its validation part.

    `name` is that of the part, or of the split file and the part. `file` is the text of the split
    file that was used, as it belongs beside the results, and `other_names` are those that it puts
    into other parts; None and empty for the official split, whose validation part is not looked up.
    """

    name: str
    samples: list[Sample]
    validation: list[Sample]
    file: str | None = None
    other_names: frozenset[str] = frozenset()


def choose_samples(
    listing: Listing, split: str | None, groups: Path | None, part: Split
) -> ChosenSplit:
    """The patches of `split`: a part of the official one, or the `part` of a split file.

    `groups` names a file with the places of patches. Without `split` it is `part` where the data
    set has a split, else all.

    Raises
    ------
    InputError
        The split has no such patches, or its file does not fit the data set.
    """
    if split is None or split in get_args(SplitChoice):
        default: SplitChoice = part if listing.has_split else "all"
        chosen: SplitChoice = split or default  # type: ignore[assignment]
        name, samples = choose_split(listing, chosen)
        return ChosenSplit(name, regroup(samples, groups, listing) if groups else samples, [])
    samples = list(listing.samples)
    own = regroup(samples, groups, listing) if groups else samples
    return _of_file(read_split(split), own, part)


def _of_file(found: SplitList | SplitDraw, samples: Sequence[Sample], part: Split) -> ChosenSplit:
    split = _drawn(found, samples) if isinstance(found, SplitDraw) else found
    _check_names(split, samples, {part, "val"} if part == "train" else {part})
    if split.partial:
        known = _names(samples)
        kept = {name: one for name, one in split.part_of.items() if name in known}
        split = replace(split, part_of=kept)
    parts = {one.name: part_of(one, split.part_of) for one in samples}
    _check_overlap(split, samples, parts)
    of_part = [one for one in samples if parts[one.name] == part]
    if not of_part:
        raise InputError(
            f"no patch of the {part} part of split {split.name} among {len(samples)} patches",
            wanted=f"a place, season or patch of the data set under {part}",
            hint="correct the split file, or give the part of the data set that it names",
            code=ErrorCode.NO_DATA,
        )
    validation = [one for one in samples if parts[one.name] == "val"]
    others = frozenset(name for name, one in split.part_of.items() if one != part)
    return ChosenSplit(f"{split.name}: {part}", of_part, validation, split.to_text(), others)


def _drawn(rule: SplitDraw, samples: Sequence[Sample]) -> SplitList:
    places = {one.place for one in samples if rule.season in ("", one.season)}
    wanted = sum(rule.sizes.values())
    if len(places) < wanted:
        logger.warning("split %s wants %d places, and %d are there: its parts are drawn in "
                       "proportion", rule.name, wanted, len(places))  # fmt: skip
    return rule.draw(places)


def part_of(sample: Sample, by_name: Mapping[str, Split]) -> Split | None:
    """The part of a sample: by its own name, else that of its place, else its season."""
    names = (sample.name, sample.place, sample.season)
    return next((by_name[name] for name in names if name in by_name), None)


def _names(samples: Sequence[Sample]) -> set[str]:
    return {name for one in samples for name in (one.name, one.place, one.season) if name}


def _check_names(split: SplitList, samples: Sequence[Sample], parts: set[Split]) -> None:
    """Refuse names that nothing has, of the parts that are used."""
    if split.partial:
        return
    known = _names(samples)
    unknown = [one for one, part in split.part_of.items() if part in parts and one not in known]
    if unknown:
        raise InputError(
            f"{len(unknown)} names in split {split.name} that no patch, place or season has, such "
            f"as {unknown[0]}",
            wanted=f"names such as {samples[0].name} or {samples[0].place}",
            hint="correct the names, or take them out",
            code=ErrorCode.BAD_OPTION,
        )


def _check_overlap(
    split: SplitList, samples: Sequence[Sample], parts: Mapping[str, Split | None]
) -> None:
    """Refuse a place of which some patches are learned from and others tested."""
    of = {
        part: {one.place for one in samples if parts[one.name] == part}
        for part in ("train", "test")
    }
    if both := sorted(of["train"] & of["test"]):
        raise InputError(
            f"place {both[0]} has patches in both train and test of split {split.name}",
            wanted="each place on one side: its patches look alike",
            hint="put all of it under one of them",
            code=ErrorCode.BAD_OPTION,
        )
