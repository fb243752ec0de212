"""Known displacements recovered, ours beside other registrars, in one table.

Radar is displaced, and the estimate compared with the one without displacement: by the mean
distance over the scene. A case succeeds where its registrar answers and lies off by less than a
pixel. Other registrars come with `pip install cloudfree[bench]`; what is not installed is skipped.
`wrong` is the share of the answers that lie off by a pixel or more; `ms` is processor time. Behind
clouds a chance peak moves with the radar: there our answers are also compared with those of the
clear image. Radar of another place never fits: every answer to it is false. AROSICS, made for
images of like sensors, builds against GDAL's own headers, which pip does not bring, and is left
out.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from cloudfree.core.displacement import Displacement, Shift, describe_displacement, kind
from tests.bench.registrars import (
    cloudfree,
    cloudfree_ungated,
    masked_phase_correlation,
    mutual_information,
)
from tests.factories.displaced_scenes import (
    RealPair,
    error_px,
    measured,
    shifts,
    spain,
    triplet,
    triplet_names,
    turned_and_scaled,
)
from tests.factories.large_scenes import aligned, displaced_date, two_dates

pytestmark = pytest.mark.bench

Registrar = Callable[[RealPair], Displacement | None]

OURS, UNGATED = "cloudfree", "cloudfree, its gate left open"
REGISTRARS: dict[str, tuple[Registrar, str | None]] = {
    OURS: (cloudfree, None),
    UNGATED: (cloudfree_ungated, None),
    "scikit-image masked phase correlation": (masked_phase_correlation, "skimage"),
    "SimpleITK mutual information, shift": (
        functools.partial(mutual_information, affine=False), "SimpleITK"),
    "SimpleITK mutual information, affine": (
        functools.partial(mutual_information, affine=True), "SimpleITK"),
}  # fmt: skip


@dataclass
class Score:
    """Errors of the answers in pixels, and what became of the other cases."""

    errors: list[float] = field(default_factory=list)
    cases: int = 0
    scenes: int = 0
    seconds: float = 0.0

    @property
    def milliseconds(self) -> float:
        """Processor time of a case."""
        return 1000 * self.seconds / max(self.cases, 1)

    @property
    def success(self) -> float:
        return sum(error < 1 for error in self.errors) / max(self.cases, 1)

    @property
    def wrong(self) -> float:
        """Share of the answers that lie off by a pixel or more."""
        return sum(error >= 1 for error in self.errors) / max(len(self.errors), 1)

    def row(self, name: str, kind: str) -> str:
        spread = np.percentile(self.errors, (50, 95, 100)) if self.errors else [np.nan] * 3
        columns = "  ".join(f"{value:7.3f}" for value in spread)
        return (
            f"{name:38} {kind:18} {self.cases:5} {len(self.errors):8} {self.scenes:6} "
            f"{self.success:7.1%} {self.wrong:6.1%}  {columns}  {self.milliseconds:6.0f}"
        )


HEAD = (
    f"\n{'registrar':38} {'displacement':18} {'cases':>5} {'answered':>8} {'scenes':>6} "
    f"{'success':>7} {'wrong':>6}  {'median':>7}  {'p95':>7}  {'max':>7}  {'ms':>6}"
)


def _cases(pair: RealPair) -> Iterator[tuple[str, Displacement]]:
    rng = np.random.default_rng(sum(map(ord, pair.name)))
    yield from (("shift", one) for one in shifts(4, rng))
    yield from (("rotation, scale", one) for one in turned_and_scaled(pair.side, rng))


def _scores(
    registrar: Registrar, pairs: list[RealPair], truth: dict[str, Displacement] | None = None
) -> dict[str, Score]:
    """Errors against the answer without displacement, or against what is known to be true."""
    scores = {"shift": Score(), "rotation, scale": Score()}
    for pair in pairs:
        plain = registrar(pair)
        answered = dict.fromkeys(scores, plain is not None)
        for name, by in _cases(pair):
            moved, score = pair.displaced(by), scores[name]
            begin = time.process_time()
            found = registrar(moved)
            score.seconds += time.process_time() - begin
            score.cases += 1
            if found is None or plain is None:
                answered[name] = False
                continue
            reference = truth[pair.name] if truth else plain
            score.errors.append(error_px(found, reference, by, pair.side)[0])
        for name, all_answered in answered.items():
            scores[name].scenes += all_answered
    return scores


def _installed(library: str | None) -> bool:
    return library is None or importlib.util.find_spec(library) is not None


IMAGES = ("clear", "cloudy")


@pytest.mark.parametrize("image", IMAGES)
def test_known_displacements_side_by_side(
    data: Path, image: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    pairs = [triplet(data, name, image) for name in triplet_names(data)]
    pairs += [spain(data)] if image == "clear" else []
    lines, found = [f"\n{len(pairs)} scenes, {image} optical image{HEAD}"], {}
    for name, (registrar, library) in REGISTRARS.items():
        if not _installed(library):
            lines.append(f"{name:38} skipped: {library} is not installed")
            continue
        found[name] = _scores(registrar, pairs)
        lines += [score.row(name, kind) for kind, score in found[name].items()]
    if image == "cloudy":
        clear = {name: measured(triplet(data, name)).shift for name in triplet_names(data)}
        known = _scores(cloudfree, pairs, clear)
        lines += [score.row(f"{OURS}, by the clear image", kind) for kind, score in known.items()]
        assert not any(score.wrong for score in known.values())
    with capsys.disabled():
        print("\n".join(lines))
    for name in found.keys() - {OURS, UNGATED}:
        for displacement, score in found[name].items():
            ours = found[OURS][displacement]
            assert ours.wrong < score.wrong
            assert np.median(ours.errors) < np.median(score.errors)
            assert ours.success > score.success
            assert ours.seconds < score.seconds
    if image == "clear":
        assert found[OURS]["shift"].scenes >= 14
        assert np.median(found[OURS]["shift"].errors) <= 0.10
        for score in found[OURS].values():
            assert np.percentile(score.errors, 95) <= 0.35
            assert max(score.errors) < 1


TURNED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as it is": lambda image: image,
    "turned by 180 degrees": lambda image: image[:, ::-1, ::-1],
    "mirrored": lambda image: image[:, :, ::-1],
}


def test_radar_of_another_place(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [triplet(data, name, image) for name in triplet_names(data) for image in IMAGES]
    lines, false = ["\nRadar of another place, clear and cloudy optical images"], []
    for how, turn in TURNED.items():
        answers = [
            measured(dataclasses.replace(one, decibels=turn(other.decibels).copy()))
            for one in pairs
            for other in pairs[:: len(IMAGES)]
            if other.name != one.name
        ]
        false += [answer.reliable for answer in answers]
        lines.append(f"  {how}: {sum(a.reliable for a in answers)} of {len(answers)} answered")
    with capsys.disabled():
        print("\n".join(lines))
    assert np.mean(false) < 0.002


def test_two_dates_of_a_large_optical_scene(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = two_dates(data)
    begin = time.perf_counter()
    plain = aligned(one, other)
    seconds = time.perf_counter() - begin
    lines = [
        f"\nTwo dates, {one.shape[1]} x {one.shape[2]} pixels: "
        f"{describe_displacement(plain.shift)}, "
        f"{kind(plain.shift)}, {plain.matches_used} of {plain.matches_found} matches, "
        f"{plain.residual_px['before']['median']:.2f} px before and "
        f"{plain.residual_px['after']['median']:.2f} after, {seconds:.1f} s"
    ]
    for by in (Shift(2.3, -4.6), Shift(-5.4, 4.1)):
        found = aligned(one, displaced_date(other, by), max_shift=12.0)
        error = error_px(found.shift, plain.shift, by, one.shape[2])[0]
        lines.append(f"  displaced by {describe_displacement(by)}: recovered to {error:.3f} px")
        assert error < 0.1
    with capsys.disabled():
        print("\n".join(lines))
