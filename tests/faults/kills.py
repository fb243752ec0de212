"""Runs that are killed at random moments, judged by what they leave and by the next run."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cloudfree.core.journal import tidy
from cloudfree.inference.load import find_card
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.model_store import checked_weights
from tests.factories.patience import PATIENCE_S
from tests.faults.runs import (
    Command,
    State,
    await_workers,
    finished,
    forked,
    hidden,
    killed_at,
    log_of,
    state,
    timed,
    visible,
)


@dataclass(frozen=True)
class Template:
    """A folder before a run, what the run makes of it, and how long that takes.

    `largest` are the bytes of the largest file in it. With `replaces` there are results of an
    earlier run, made with other options.
    """

    command: Command
    folder: Path
    before: State
    after: State
    seconds: float
    largest: int
    replaces: bool

    @property
    def words(self) -> tuple[str, ...]:
        """The command line."""
        return (*self.command.words, *(("--overwrite",) if self.replaces else ()))


def template(place: Path, command: Command, replaces: bool) -> Template:
    """A folder with inputs, and perhaps with earlier results."""
    folder = place / command.name
    (folder / "out").mkdir(parents=True)
    command.inputs(folder)
    if replaces:
        timed(folder, (*command.words, *command.earlier))
        (folder / "out" / f"{command.main}.aux.xml").write_text("<PAMDataset/>")
    before = state(folder, command.volatile)
    found = Template(command, folder, before, {}, 0.0, 0, replaces)
    once, twice = (_run(found, place / "work") for _ in range(2))
    assert once.after == twice.after, "the result is not the same each time"
    return twice


def _run(found: Template, work: Path) -> Template:
    shutil.copytree(found.folder, work)
    seconds = timed(work, found.words)
    after = state(work, found.command.volatile)
    largest = max(path.stat().st_size for path in (work / "out").rglob("*") if path.is_file())
    shutil.rmtree(work)
    return replace(found, after=after, seconds=seconds, largest=largest)


def kills(found: Template, work: Path, number: int, seed: int) -> Iterator[tuple[float, Path]]:
    """Folders in which a run was killed, after shares of its time that are drawn.

    Half of them lie anywhere, half near the end, where files are finished and renamed.
    """
    draw = random.Random(f"{seed} {found.command.name} {found.replaces}")
    for index in range(number):
        share = draw.uniform(0.0, 1.0) if index % 2 else draw.uniform(0.75, 1.05)
        shutil.copytree(found.folder, work)
        killed_at(forked(work, found.words), share * found.seconds)
        await_workers(work)
        yield share, work
        shutil.rmtree(work)


def judged(found: Template, work: Path) -> Counter[str]:
    """What a killed run left, and what the next one made of it; whatever is wrong is raised."""
    command, counts = found.command, Counter[str](kills=1)
    left = state(work, command.volatile)
    main = f"out/{command.main}"
    known = left.get(main) in (found.before.get(main), found.after.get(main))
    # A training also has models of earlier steps.
    assert known or (command.begun and checked_weights(*_model(work / main))), left.get(main)
    counts["litter"] += bool(hidden(left))
    counts["half renamed"] += any(name.endswith(".journal") for name in hidden(left))
    settled = _tidied(work, command)
    counts["new" if settled == found.after else "old"] += 1
    _go_on(found, work, settled)
    assert state(work, command.volatile) == found.after, log_of(work)
    return counts


def _model(card: Path) -> tuple[Path, ModelCard]:
    found = find_card(str(card))
    return found.weights, found.card


def _tidied(work: Path, command: Command) -> State:
    """The folder as the next run finds it; workers of a batch may take a moment to end."""
    end = time.monotonic() + PATIENCE_S
    while True:
        for folder in sorted({path.parent for path in work.rglob("*")}):
            tidy(folder)
        settled = state(work, command.volatile)
        if not hidden(settled):
            return settled
        assert time.monotonic() < end, hidden(settled)
        time.sleep(0.2)


def _go_on(found: Template, work: Path, settled: State) -> None:
    """The next run, which succeeds, or has nothing to do."""
    if visible(settled) == found.after and not found.replaces and not found.command.again:
        assert finished(forked(work, found.words)) == 1
        assert "exists already" in log_of(work)
        return
    assert finished(forked(work, _next_words(found, settled))) == 0, log_of(work)


def _next_words(found: Template, settled: State) -> tuple[str, ...]:
    command = found.command
    if command.begun is None:
        return (*found.words, *command.again)
    has_begun = settled.get(command.begun) == found.after[command.begun]
    return (*command.words, *command.again) if has_begun else found.words
