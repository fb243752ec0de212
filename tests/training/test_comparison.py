"""The comparison at equal budget never scores a network on a place that it has seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cli.train import command
from tests.bench import compare_networks as compare
from tests.conftest import ROOT

# Triplets that show one place, or places that look alike, as DATA.md of the imagery groups them.
PLACES = [
    {"4065", "4287", "4294", "4433", "4438"},
    {"5254", "5278", "5349"},
    {"6553", "6780"},
    {"0316", "0581", "0746"},
    {"2266"},
    {"2729"},
]
LEARNED_ONLY = "winter112p797"
TRIPLETS = sorted({LEARNED_ONLY}.union(*PLACES))


FOLDS = compare.plan_folds(TRIPLETS)


@given(st.sets(st.sampled_from(TRIPLETS)))
def test_no_fold_sees_a_place_that_it_is_scored_on(triplets: set[str]) -> None:
    for fold in compare.plan_folds(triplets):
        assert set(fold.seen) | set(fold.held_out) == triplets
        assert not set(fold.seen) & set(fold.held_out)
        for place in PLACES:
            assert not place & set(fold.seen) or not place & set(fold.held_out), place


def test_every_triplet_is_scored_once_and_one_is_only_learned_from() -> None:
    assert [fold.name for fold in FOLDS] == ["A", "B", "C"]
    scored = [name for fold in FOLDS for name in fold.held_out]
    assert sorted([*scored, LEARNED_ONLY]) == TRIPLETS
    assert all(LEARNED_ONLY in fold.seen for fold in FOLDS)


@pytest.mark.parametrize("fold", FOLDS, ids=lambda fold: fold.name)
@pytest.mark.parametrize("contestant", compare.CONTESTANTS, ids=lambda one: one.network)
def test_the_training_command_holds_out_what_is_scored(contestant, fold) -> None:
    _, *words = compare.training_command(contestant, fold, ROOT, Path("run"), 7)
    options = command.make_context("train", words).params
    assert set(options["hold_out"]) == set(fold.held_out)
    assert options["network"] == contestant.network
    assert (options["steps"], options["crop"], options["simulate_clouds"]) == (7, 128, 0.5)
    assert options["network_setting"] == contestant.settings


def test_only_held_out_triplets_are_scored(tmp_path: Path) -> None:
    for name in ("4065", "5254", "6553"):
        for kind in ("s1", "s2_cloudy", "s2_clear"):
            (tmp_path / f"{name}_{kind}.tif").touch()
    (tmp_path / "scored").mkdir()
    (tmp_path / "scored" / "4065_s1.tif").touch()  # of an earlier plan
    linked = compare.link_triplets(["5254"], tmp_path, tmp_path / "scored")
    assert sorted(path.name for path in linked.iterdir()) == [
        "5254_s1.tif",
        "5254_s2_clear.tif",
        "5254_s2_cloudy.tif",
    ]


def test_the_budget_pays_for_start_and_steps() -> None:
    start, step = 4.0, 2.0
    steps = compare.affordable_steps(lambda number: start + step * number)
    assert steps == (compare.BUDGET_SECONDS - start) / step


def test_a_run_that_was_stopped_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []
    stop_at = 3

    def cloudfree(words: Sequence[str]) -> tuple[str, float]:
        options = dict(pairwise(words))
        if words[0] == "train":
            output = Path(options["--output"])
            output.mkdir(parents=True, exist_ok=True)
            (output / "losses.csv").write_text("loss,seconds\n0.1,60\n")
            if "probe" not in output.parts:
                trained.append(f"{output.parent.name} {output.name}")
                if len(trained) == stop_at:
                    raise KeyboardInterrupt
            return "", float(options["--steps"])
        figures = {"all": dict.fromkeys(compare.METRICS, 1.0)}
        methods = {f"{Path(options.get('--model', '')).name}, raw": figures, "do nothing": figures}
        patches = [{"name": "any", "figures": methods}]
        return json.dumps({"parameters": 5, "patches": patches}), 0.0

    monkeypatch.setattr(compare, "cloudfree", cloudfree)
    monkeypatch.setattr(compare, "RESULTS", tmp_path / "results.json")
    for name in TRIPLETS:
        (tmp_path / f"{name}_s1.tif").touch()
    with pytest.raises(KeyboardInterrupt):
        compare.run(tmp_path, tmp_path / "runs")
    compare.run(tmp_path, tmp_path / "runs")
    plan = [f"{fold.name} {one.network}" for fold in FOLDS for one in compare.CONTESTANTS]
    assert trained == [*plan[:stop_at], *plan[stop_at - 1 :]]
    networks = compare.read_results()["networks"]
    assert {one["steps"] for one in networks.values()} == {int(compare.BUDGET_SECONDS)}


def test_the_table_of_the_document_is_that_of_the_results() -> None:
    document = (ROOT / "models" / "README.md").read_text(encoding="utf-8")
    assert compare.table(compare.read_results()) in document
