"""Which patches a folder holds, by the names of its files, and which of them are used."""

from __future__ import annotations

import csv
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TypeVar

from cloudfree.core.choices import SplitChoice
from cloudfree.core.grid import Window
from cloudfree.datasets import sen12mscr
from cloudfree.datasets.patch import Sample, Skipped
from cloudfree.datasets.sen12mscr import PATCH_PX, SampleRole
from cloudfree.datasets.sen12mscrts import split_of_series
from cloudfree.datasets.split_file import Split
from cloudfree.datasets.time_series import list_time_series
from cloudfree.errors import CloudfreeError, ErrorCode, InputError
from cloudfree.inference.sliding_window import TilePlan
from cloudfree.raster.dataset import Dataset

Item = TypeVar("Item")

_SUFFIXES = (".tif", ".tiff")
_PLAIN = re.compile(r"(?:(?P<name>.+)_)?(?P<kind>s1|s2_cloudy|s2_clear)")
_PLAIN_KINDS: dict[str, SampleRole] = {"s1": "s1", "s2_cloudy": "cloudy", "s2_clear": "clear"}


@dataclass(frozen=True)
class Listing:
    """The patches of a folder in the order of their names, and those that lack a file."""

    samples: tuple[Sample, ...]
    skipped: tuple[Skipped, ...]

    @property
    def has_split(self) -> bool:
        """Whether all patches carry names of a data set with an official split."""
        named = (sample.season or sample.series for sample in self.samples)
        return bool(self.samples) and all(named)


def list_samples(
    folder: Path,
    patch_px: int = PATCH_PX,
    offset_dn: float | None = None,
    needed: Sequence[SampleRole] = ("cloudy", "clear"),
    dates: int = 0,
) -> Listing:
    """The patches below a folder.

    Files are named as in SEN12MS-CR, or `NAME_s2_cloudy.tif`, `NAME_s2_clear.tif` and, where there
    is radar, `NAME_s1.tif`; without `NAME_` they are named by their folder. Files larger than
    `patch_px` are cut into patches that cover them; those at the far edges overlap their
    neighbours. `offset_dn` is added to the digital numbers of all files; SEN12MS-CR needs none.
    A patch that lacks a file of `needed` is skipped; the clear image is always needed.

    Time series named as in SEN12MS-CR-TS are listed if so many `dates` of them are to be shown;
    with fewer dates, and the target, they are skipped.

    Raises
    ------
    InputError
        There is no patch.
    """
    paths = list(rasters(folder))
    groups = dict(sorted(_groups(folder, paths).items()))
    missing = {name: group.missing(needed) for name, group in groups.items()}
    skipped = [Skipped(name, reason) for name, reason in missing.items() if reason]
    samples = [
        patch
        for name, group in groups.items()
        if not missing[name]
        for patch in _cut(group.sample(name, offset_dn), patch_px)
    ]
    if dates:
        series, short = list_time_series(paths, dates)
        samples, skipped = samples + series, skipped + short
    if not samples:
        raise _nothing_found(folder, skipped)
    return Listing(tuple(samples), tuple(skipped))


@dataclass
class _Group:
    """The files of one patch or scene."""

    place: str
    season: str = ""
    files: dict[SampleRole, Path] = field(default_factory=dict)

    def missing(self, needed: Sequence[SampleRole]) -> str | None:
        """Text that names the missing files; None if all are there."""
        missing = [f"no {kind} image" for kind in needed if kind not in self.files]
        return " and ".join(missing) or None

    def sample(self, name: str, offset_dn: float | None) -> Sample:
        """The files as one sample."""
        if offset_dn is None and self.season:
            offset_dn = sen12mscr.OFFSET_DN
        files = self.files
        return Sample(
            name, self.place, self.season, files.get("cloudy"), files["clear"], files.get("s1"),
            offset_dn=offset_dn,
        )  # fmt: skip


def _groups(folder: Path, paths: Iterable[Path]) -> dict[str, _Group]:
    """The files below a folder by the name of their patch."""
    groups: dict[str, _Group] = {}
    for path in paths:
        if official := sen12mscr.parse_name(path.stem):
            name, kind = f"{official.place}_{official.patch}", official.kind
            group = _Group(official.place, official.season)
        elif plain := _PLAIN.fullmatch(path.stem):
            own = path.parent / plain["name"] if plain["name"] else path.parent
            name = own.relative_to(folder).as_posix() if own != folder else folder.resolve().name
            kind, group = _PLAIN_KINDS[plain["kind"]], _Group(name)
        else:
            continue
        groups.setdefault(name, group).files[kind] = path
    return groups


def rasters(folder: Path) -> Iterator[Path]:
    """GeoTIFFs below a folder, through links to folders: data sets often lie on several disks."""
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        place = os.path.realpath(parent)
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        yield from (Path(parent, name) for name in names if name.lower().endswith(_SUFFIXES))


def _cut(sample: Sample, patch_px: int) -> Iterator[Sample]:
    """A scene in patches; one that is no larger than a patch is not cut."""
    size = None if sample.season else _size(sample.optical)
    if size is None or max(size) <= patch_px:
        yield sample
        return
    for window in TilePlan(*size, patch_px, overlap=0):
        yield replace(sample, name=f"{sample.name}_{_corner(window)}", window=window)


def _size(path: Path) -> tuple[int, int] | None:
    """Height and width by the file's header; None if it cannot be opened: reading reports why."""
    try:
        with Dataset(path) as raster:
            return raster.handle.height, raster.handle.width
    except CloudfreeError:
        return None


def _corner(window: Window) -> str:
    return f"y{window.row}_x{window.col}"


def _nothing_found(folder: Path, skipped: list[Skipped]) -> InputError:
    found = f"no patch with a cloudy and a clear image in {folder}"
    if skipped:
        found += f" ({len(skipped)} lack one, such as {skipped[0].name})"
    return InputError(
        found,
        wanted="SEN12MS-CR, SEN12MS-CR-TS, or NAME_s2_cloudy.tif, NAME_s2_clear.tif and "
        "NAME_s1.tif",
        hint="give the folder above the files, and rename them where needed",
    )


# A date in a name: 2018-01-06 or 20180106, not part of a longer number.
_DATE = re.compile(r"(?<!\d)(20\d\d)(-?)(\d\d)\2(\d\d)(?!\d)")


@dataclass(frozen=True)
class DatedImage:
    """An image and the day of its acquisition."""

    path: Path
    day: date


def list_series(folder: Path) -> dict[str, list[DatedImage]]:
    """Series of two dates or more by the folder that holds them, each in the order of its dates.

    GeoTIFFs with a date in their name that lie in one folder show one place.
    """
    series: dict[str, list[DatedImage]] = {}
    for path in rasters(folder):
        if day := _day(path.stem):
            series.setdefault(str(path.parent), []).append(DatedImage(path, day))
    return {
        place: sorted(images, key=lambda image: (image.day, image.path.name))
        for place, images in sorted(series.items())
        if len(images) > 1
    }


def pair_dates(
    place: str, images: Sequence[DatedImage], clear: Sequence[bool], offset_dn: float | None = None
) -> list[Sample]:
    """Each image that is not clear with the clear one of the nearest day."""
    clear_images = [image for image, is_clear in zip(images, clear, strict=True) if is_clear]
    return [
        Sample(image.path.stem, place, "", image.path, nearest.path, None, offset_dn=offset_dn)
        for image, is_clear in zip(images, clear, strict=True)
        if not is_clear and clear_images
        for nearest in [min(clear_images, key=lambda other: abs(other.day - image.day))]
    ]


def _day(stem: str) -> date | None:
    found = _DATE.search(stem)
    if found is None:
        return None
    try:
        return date(*(int(found[part]) for part in (1, 3, 4)))
    except ValueError:
        return None


def choose_split(listing: Listing, split: SplitChoice | None) -> tuple[SplitChoice, list[Sample]]:
    """The chosen split (by default test where there is one, else all) and its patches.

    Raises
    ------
    InputError
        The data set has no official split, or holds nothing of the split.
    """
    chosen = split or ("test" if listing.has_split else "all")
    if chosen == "all":
        return chosen, list(listing.samples)
    if not listing.has_split:
        raise InputError(
            f"--split {chosen} for patches that are not named as in SEN12MS-CR or SEN12MS-CR-TS",
            wanted="the official split, which goes by names such as ROIs1158_spring_106",
            hint="use --split all, and keep places apart with folders",
            code=ErrorCode.BAD_OPTION,
        )
    samples = [sample for sample in listing.samples if official_split(sample) == chosen]
    if not samples:
        raise InputError(
            f"no patch of the {chosen} split among {len(listing.samples)} patches",
            wanted=f"places of the {chosen} split of SEN12MS-CR or SEN12MS-CR-TS",
            hint="add them, or choose another --split",
            code=ErrorCode.NO_DATA,
        )
    return chosen, samples


def require_series(listing: Listing, dates: int) -> None:
    """Check that so many dates of every patch can be shown.

    Raises
    ------
    InputError
        A patch has a single date.
    """
    single = [sample.name for sample in listing.samples if not sample.series]
    if single:
        raise InputError(
            f"--dates {dates} for patches of one date, such as {single[0]}",
            wanted="time series named as in SEN12MS-CR-TS",
            hint="leave --dates out, or give that data set",
            code=ErrorCode.BAD_OPTION,
        )


def official_split(sample: Sample) -> Split | None:
    """The split of its data set that a sample belongs to, by the whole name of its place."""
    if sample.series:
        return split_of_series(sample.place)
    return sen12mscr.split_of(sample.place)


def evenly_spread(items: Sequence[Item], limit: int | None) -> list[Item]:
    """At most `limit` items, evenly spread over the list."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[index * len(items) // limit] for index in range(limit)]


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
