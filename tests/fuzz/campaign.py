"""Mutants of a format, given to the command that reads them, and judged."""

from __future__ import annotations

import csv
import re
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.factories.stac_server import ADDRESS
from tests.fuzz.answers import answering
from tests.fuzz.formats import Format
from tests.fuzz.worker import LIMIT_MB, Outcome, Worker

SOME_FAILED = 3
_WITHOUT_RASTER = ("info", "models", "train", "batch", "evaluate")
# Refused, a wrong command line, scenes of a batch that failed, a result that is broken.
REFUSALS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Finding:
    """A mutant that ended as none should: how to make it again, and what happened."""

    format: str
    seed: int
    words: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return f"{self.format} {self.seed}: {' '.join(self.words)}\n    {self.reason}"


@dataclass
class Tally:
    """What became of the mutants of a format."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)


def campaign(one: Format, place: Path, worker: Worker, seeds: range) -> Tally:
    """Give a mutant of each seed to a command."""
    with answering(place / "work") as address:
        return _campaign(one, place, worker, seeds, address)


def _campaign(one: Format, place: Path, worker: Worker, seeds: range, address: str) -> Tally:
    whole, work = place / "whole", place / "work"
    whole.mkdir(parents=True)
    one.whole(whole)
    (whole / "out").mkdir(exist_ok=True)
    for words in one.commands:  # else its mutants show nothing
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(whole, work)
        outcome = worker.run(work, (*addressed(words, address), "-qq"))
        assert outcome.code == 0, (words, outcome)
    found = Tally()
    for seed in seeds:
        _judge(one, whole, work, worker, seed, address, found)
    return found


def _judge(
    one: Format, whole: Path, work: Path, worker: Worker, seed: int, address: str, found: Tally
) -> None:
    words = mutant(one, whole, work, seed)
    before = inputs_in(work)
    outcome = worker.run(work, addressed(words, address))
    changed = [name for name, content in before.items() if inputs_in(work).get(name) != content]
    if reason := f"changed {changed}" if changed else wrong(outcome, words, work):
        found.findings.append(Finding(one.name, seed, words, reason))
    found.counts["findings" if reason else "results" if outcome.code == 0 else "refusals"] += 1


def inputs_in(work: Path) -> dict[str, bytes]:
    """The files that no command may change: those outside `out`, and those called `keep` in it."""
    paths = [*work.rglob("*"), *work.glob("out/keep*")]
    places = {path.relative_to(work) for path in paths if path.is_file()}
    made = {"tmp", "stdout.log", "stderr.log"}
    return {
        str(place): (work / place).read_bytes()
        for place in places
        if place.parts[0] not in made and (place.parts[0] != "out" or place.match("out/keep*"))
    }


def addressed(words: tuple[str, ...], address: str) -> tuple[str, ...]:
    """The command line with the address of the server."""
    return tuple(word.replace(ADDRESS, address) for word in words)


def mutant(one: Format, whole: Path, work: Path, seed: int) -> tuple[str, ...]:
    """Make the mutant of a seed in the folder `work`; returns the command line that reads it."""
    draw = Random(f"{one.name} {seed}")
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(whole, work)
    target = one.target(work, draw)
    content = target.read_bytes()
    changed = content
    while changed == content:
        changed = one.mutate(content, draw)
    target.write_bytes(changed)
    return (*draw.choice(one.commands), "-qq")


def wrong(outcome: Outcome, words: tuple[str, ...], work: Path) -> str:
    """What is wrong with the end of a command; empty if nothing is."""
    if outcome.trace:
        return _shortened(outcome.trace)
    if outcome.memory_mb > LIMIT_MB or "not enough memory" in outcome.errors:
        return f"{outcome.memory_mb:.0f} MB of memory: {outcome.errors[:300]}"
    if outcome.code == 0:
        if outcome.errors:
            return f"printed {outcome.errors[:300]}"
        return wrong_list(outcome) if words[0] == "search" else wrong_result(words, work)
    return _wrong_refusal(outcome)


def _wrong_refusal(outcome: Outcome) -> str:
    """What is wrong with a refusal, which is one line."""
    lines = [line for line in outcome.errors.splitlines() if line]
    said = [line for line in lines if not line.startswith(("Usage: ", "Try "))]
    if outcome.code not in REFUSALS:
        return f"exit code {outcome.code}: {outcome.errors[:300]}"
    one = len(said) == 1 or outcome.code == SOME_FAILED  # a line for each scene
    if not one or not all(line.startswith("Error: ") for line in said):
        return f"{len(said)} lines: {outcome.errors[:600]}"
    return ""


def _shortened(trace: str) -> str:
    """The last line of a stack, and where in the package it was raised."""
    places = re.findall(r'File ".*?(cloudfree/(?!cli/)\S+)", line (\d+), in (\S+)', trace)
    where = " < ".join(f"{file}:{line} {name}" for file, line, name in reversed(places[-3:]))
    return f"{trace.strip().splitlines()[-1][:300]}  [{where}]"


def wrong_list(outcome: Outcome) -> str:
    """What is wrong with the list that a search prints; empty if nothing is."""
    header, *rows = csv.reader(outcome.printed.splitlines())
    links = [link for s2, s1, _ in rows for link in (s2, s1) if link]
    wrong = [link for link in links if not link.startswith(("http://", "https://"))]
    if header != ["s2", "s1", "name"] or not rows or wrong:
        return f"printed {outcome.printed[:300]}"
    return "" if all(line.isprintable() for line in outcome.printed.splitlines()) else "letters"


def wrong_result(words: tuple[str, ...], work: Path) -> str:
    """What is wrong with the result of a command; empty if nothing is."""
    import numpy as np
    import rasterio

    if "-o" not in words or not (path := work / words[words.index("-o") + 1]).is_file():
        return "" if words[0] in _WITHOUT_RASTER else "no result"
    if words[0] in ("report", "evaluate"):
        return "" if path.read_text().startswith("<!DOCTYPE html>") else "no page"
    with rasterio.open(path) as dataset:
        pixels = dataset.read()
    if words[0] == "mask" and set(np.unique(pixels)) - {0, 1, 2, 3, 255}:
        return f"classes {np.unique(pixels)}"
    if words[0] == "coregister":
        known = pixels[np.isfinite(pixels)]
        if not known.size or known.min() < -100 or known.max() > 60:
            return f"decibels {known.min() if known.size else 'none'} to {known.max(initial=-1e9)}"
    return ""
