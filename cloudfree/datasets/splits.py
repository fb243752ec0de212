"""Which patches of a data set are used: a split, a number, groups of places."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cloudfree.core.choices import SplitChoice
from cloudfree.datasets.folder import Listing
from cloudfree.datasets.patch import Sample
from cloudfree.datasets.sen12mscr import split_of
from cloudfree.errors import InputError


def choose_split(listing: Listing, split: SplitChoice | None) -> tuple[SplitChoice, list[Sample]]:
    """The chosen split (by default test in SEN12MS-CR, else all) and its patches.

    Raises
    ------
    InputError
        The data set is not SEN12MS-CR, or holds nothing of the split.
    """
    chosen = split or ("test" if listing.is_sen12mscr else "all")
    if chosen == "all":
        return chosen, list(listing.samples)
    if not listing.is_sen12mscr:
        raise InputError(
            f"--split {chosen} for patches that are not named as in SEN12MS-CR",
            wanted="the official split, which goes by names such as ROIs1158_spring_106",
            hint="use --split all, and keep places apart with folders",
        )
    samples = [sample for sample in listing.samples if split_of(sample.place) == chosen]
    if not samples:
        raise InputError(
            f"no patch of the {chosen} split among {len(listing.samples)} patches",
            wanted=f"places of the {chosen} split of SEN12MS-CR",
            hint="add them, or choose another --split",
        )
    return chosen, samples


def evenly_spread(samples: Sequence[Sample], limit: int | None) -> list[Sample]:
    """At most `limit` samples, evenly spread over the list."""
    if limit is None or limit >= len(samples):
        return list(samples)
    return [samples[index * len(samples) // limit] for index in range(limit)]


def regroup(samples: Sequence[Sample], file: Path, listing: Listing) -> list[Sample]:
    """Samples of a listing with the places of a file; one that it does not name keeps its own.

    The file is TOML with a list of names for each place, or CSV with the columns name and place. A
    name is that of a sample, of a place, or of the scene that samples were cut from.

    Raises
    ------
    InputError
        The file cannot be understood, or names something that is not there.
    """
    place_of = dict(_read(file))
    known = {name for sample in listing.samples for name in (sample.name, sample.place)}
    if unknown := sorted(place_of.keys() - known):
        raise InputError(
            f"{len(unknown)} names in {file.name} that no patch has, such as {unknown[0]}",
            wanted=f"names such as {listing.samples[0].name}",
            hint="correct the names, or take them out",
        )
    return [replace(sample, place=_place(sample, place_of)) for sample in samples]


def _place(sample: Sample, place_of: Mapping[str, str]) -> str:
    return place_of.get(sample.name, place_of.get(sample.place, sample.place))


def _read(file: Path) -> Iterator[tuple[str, str]]:
    """Pairs of a name and its place."""
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix.lower() == ".toml":
            for place, names in tomllib.loads(text).items():
                yield from ((str(name), place) for name in names)
        else:
            header, *rows = csv.reader(text.splitlines())
            columns = header.index("name"), header.index("place")
            yield from ((row[columns[0]], row[columns[1]]) for row in rows if row)
    except (OSError, ValueError, IndexError, TypeError) as error:
        raise InputError(
            f"{file.name} cannot be read ({type(error).__name__}: {error})",
            wanted='TOML such as north = ["4065", "4287"], or CSV with the columns name and place',
            hint="correct the file that --groups names",
        ) from error
