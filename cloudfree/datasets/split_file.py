"""Split files: which places, seasons or patches are learned from, validated on, and tested.

A list is CSV with the columns `name` and `split`; a draw is TOML with how many places of each part
are drawn from those that are there. Lines that begin with `#` say where a split comes from. Those
of the literature are shipped in `splits/` and known by name.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path, PurePath
from random import Random
from typing import Literal, get_args

from cloudfree.core.typed_entries import UnknownEntryError, structured
from cloudfree.errors import ErrorCode, InputError, reason_of

Split = Literal["train", "val", "test"]
PARTS: tuple[Split, ...] = get_args(Split)
COLUMNS = ("name", "split")
# The name of the split file that was used, beside the results.
SPLIT_FILE = "split.csv"


@dataclass(frozen=True)
class SplitList:
    """The part of each name, which is that of a place, a season or a patch.

    `header` is what the file says of itself. Of a `partial` list, names that are not there are
    left out: few have a data set whole.
    """

    name: str
    header: tuple[str, ...]
    part_of: Mapping[str, Split]
    partial: bool = False

    def to_text(self) -> str:
        """The list as a split file."""
        lines = [f"# {line}".rstrip() for line in self.header]
        rows = [f"{_quoted(name)},{part}" for name, part in self.part_of.items()]
        return "\n".join([*lines, ",".join(COLUMNS), *rows, ""])


@dataclass(frozen=True)
class SplitDraw:
    """A split that is drawn: how many places each part has, or, below 1, which share of them.

    Places are those of a `season`, or all. If there are fewer than are wanted, parts keep their
    proportion.
    """

    name: str
    header: tuple[str, ...]
    sizes: Mapping[Split, float]
    seed: int
    season: str = ""

    def draw(self, places: Collection[str]) -> SplitList:
        """The list drawn from places, the same at every call.

        Raises
        ------
        InputError
            There are fewer than three.
        """
        counts = self._counts(len(places))
        draw = Random(self.seed)
        order = sorted(sorted(places), key=lambda _: draw.random())
        part_of: dict[str, Split] = {}
        for part in ("test", "val", "train"):
            part_of |= dict.fromkeys(sorted(order[: counts[part]]), part)
            order = order[counts[part] :]
        drawn = ", ".join(f"{counts[part]} {part}" for part in PARTS)
        season = f"{self.season} " if self.season else ""
        line = f"Drawn from {len(places)} {season}places with seed {self.seed}: {drawn}."
        return SplitList(self.name, (*self.header, line), part_of)

    def _counts(self, places: int) -> dict[Split, int]:
        """How many places each part gets."""
        if places < len(PARTS):
            raise InputError(
                f"{places} places to draw the split {self.name} from",
                wanted=f"at least {len(PARTS)}, one for each of {', '.join(PARTS)}",
                hint="give more of the data set, or another --split",
                code=ErrorCode.NO_DATA,
            )
        wanted = sum(self.sizes.values())
        if wanted > 1 and wanted <= places:
            return {part: int(size) for part, size in self.sizes.items()}
        val = max(round(self.sizes["val"] / wanted * places), 1)
        test = max(round(self.sizes["test"] / wanted * places), 1)
        return {"train": places - val - test, "val": val, "test": test}


def shipped_splits() -> dict[str, str]:
    """The texts of the split files that come with the tool, by file name."""
    folder = resources.files("cloudfree.datasets") / "splits"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {file.name: file.read_text(encoding="utf-8") for file in files}


def shipped_names() -> list[str]:
    """The names of these splits."""
    return sorted(PurePath(file).stem for file in shipped_splits())


def read_split(given: str) -> SplitList | SplitDraw:
    """A split by its name, with `:SEED` for a draw, or by its file.

    Raises
    ------
    InputError
        There is none of that name, or the file cannot be understood.
    """
    name, _, seed = given.partition(":")
    texts = {PurePath(file).stem: (file, text) for file, text in shipped_splits().items()}
    if name not in texts:
        return _of_file(Path(given))
    found = parse_split(name, *texts[name])
    if isinstance(found, SplitList):
        return replace(found, partial=True)
    return _seeded(found, given, seed) if seed else found


def _seeded(found: SplitDraw, given: str, seed: str) -> SplitDraw:
    if not seed.isdecimal():
        raise InputError(
            f"--split {given}",
            wanted=f"a number after the colon, such as {found.name}:2",
            hint="correct the seed",
            code=ErrorCode.BAD_OPTION,
        )
    return replace(found, seed=int(seed))


def _of_file(path: Path) -> SplitList | SplitDraw:
    try:
        # Spreadsheets begin a text with a mark of its encoding.
        return parse_split(path.stem, path.name, path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"--split {path}: {getattr(error, 'strerror', None) or error}",
            wanted=f"test, val, train or all, one of {', '.join(shipped_names())}, or a split file",
            hint="correct --split",
            code=ErrorCode.BAD_OPTION,
        ) from error


def parse_split(name: str, file: str, text: str) -> SplitList | SplitDraw:
    """The split of a text; `file` is its name, by whose ending it is a draw or a list.

    Raises
    ------
    InputError
        The text cannot be understood, or has a name twice.
    """
    lines = text.splitlines()
    comments = tuple(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    if file.lower().endswith(".toml"):
        return _draw(name, file, comments, text)
    return SplitList(name, comments, dict(_rows(file, lines)))


def _draw(name: str, file: str, header: tuple[str, ...], text: str) -> SplitList | SplitDraw:
    try:
        found = tomllib.loads(text)
        if set(found) == {"same_as"} and found["same_as"] in shipped_names():
            other = read_split(found["same_as"])
            return replace(other, name=name, header=(*header, *other.header))
        entries = structured(found, _Entries, "split")
    except UnknownEntryError as error:
        raise _not_understood(file, f"{error.found} is no entry of a split") from error
    except (ValueError, RecursionError) as error:
        raise _not_understood(file, reason_of(error)) from error
    sizes = {part: getattr(entries, part) for part in PARTS}
    if problem := _problem(sizes, entries.seed):
        raise _not_understood(file, problem)
    return SplitDraw(name, header, sizes, entries.seed, entries.season)


@dataclass(frozen=True)
class _Entries:
    """What the file of a draw may have."""

    train: float = 0
    val: float = 0
    test: float = 0
    seed: int = 0
    season: str = ""


def _problem(sizes: Mapping[Split, float], seed: int) -> str:
    """What is wrong with the numbers of a draw; empty if nothing is."""
    numbers = [size for size in sizes.values() if size > 0]
    if len(numbers) < len(PARTS):
        return f"{', '.join(PARTS)} are not all positive numbers"
    if len({size < 1 for size in numbers}) > 1 or (numbers[0] < 1 and sum(numbers) > 1 + 1e-9):
        return "train, val and test are neither counts nor shares of 1"
    return "" if seed >= 0 else "seed is below 0"


def _rows(file: str, lines: list[str]) -> Iterator[tuple[str, Split]]:
    """Pairs of a name and its part."""
    table = [line for line in lines if line.strip() and not line.startswith("#")]
    try:
        header, *rows = list(csv.reader(table)) or [[]]
    except csv.Error as error:  # such as a field without end
        raise _not_understood(file, str(error)) from error
    if not set(COLUMNS) <= set(header):
        raise _not_understood(file, f"its columns are {', '.join(header) or 'missing'}")
    columns = [header.index(column) for column in COLUMNS]
    seen: dict[str, str] = {}
    for row in rows:
        if len(row) <= max(columns) or (part := row[columns[1]].strip()) not in PARTS:
            raise _not_understood(file, f"the row {','.join(row)}")
        name = row[columns[0]].strip()
        if name in seen:
            raise _doubled(file, name, seen[name], part)
        seen[name] = part
        yield name, part


def _doubled(file: str, name: str, first: str, second: str) -> InputError:
    where = f"twice under {first}" if first == second else f"under both {first} and {second}"
    return InputError(
        f"{name} stands {where} in {file}",
        wanted="each place, season or patch once",
        hint="take one of the rows out",
        code=ErrorCode.BAD_OPTION,
    )


def _not_understood(file: str, problem: str) -> InputError:
    return InputError(
        f"split file {file} cannot be used: {problem}",
        wanted=f"CSV with the columns name and split ({', '.join(PARTS)}), or TOML with a number "
        "for each of them and a seed",
        hint="correct the file that --split names",
        code=ErrorCode.BAD_OPTION,
    )


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name
