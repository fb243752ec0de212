"""Compare small networks at equal budget: each learns for five minutes of one processor core.

    python -m tests.bench.compare_networks run --data TRIPLETS --runs RUNS
    python -m tests.bench.compare_networks table

The first trains and scores the networks that are not finished yet, the second prints
models/comparison/results.json as the table of models/README.md. TRIPLETS holds the 16 triplets
NAME_s1.tif, NAME_s2_cloudy.tif and NAME_s2_clear.tif. A fold trains on the triplets of other places
and is scored on its own. Only `cloudfree train` and `cloudfree evaluate` are called. How many steps
the budget pays for is measured once for each network and is the same in all folds. A run that was
stopped goes on with the first training that is not in results.json.
"""

import argparse
import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from safetensors.torch import load_file

from tests.conftest import ROOT

SHIPPED = ROOT / "models" / "cloudfree-s"
RESULTS = ROOT / "models" / "comparison" / "results.json"
# The triplets that show one place, or places that look alike, are in one fold.
FOLDS: dict[str, set[str]] = {
    "A": {"4065", "4287", "4294", "4433", "4438"},
    "B": {"5254", "5278", "5349", "6553", "6780"},
    "C": {"0316", "0581", "0746", "2266", "2729"},
}
BUDGET_SECONDS = 300.0  # of processor time, for a whole `cloudfree train`
SHORT, LONG = 1, 6  # steps of the two trainings from which the time of a step is measured
METRICS = ("psnr", "ssim", "sam", "mae")
HARDWARE = "one thread of a shared 2-core CPU, fp32"

Metrics = dict[str, float]
Results = dict[str, Any]


@dataclass(frozen=True)
class Contestant:
    """A network of the catalogue, and where it is smaller than in its paper to afford the steps."""

    network: str
    settings: tuple[str, ...] = ()


CONTESTANTS = (
    Contestant("cloudfree_s"),
    Contestant("ib_hfn", ("widths=[24, 48, 96]", "bottleneck=48")),
    Contestant("uncrtaints", ("width=48",)),
    Contestant("glf_cr", ("channels=24", "blocks=2", "layers=3", "growth=16", "heads=4")),
    Contestant("sg_bafm_dfin", ("channels=20", "token_channels=80")),
)
# Loss, optimiser and learning rate are those of each network's preset. The schedules of the papers
# count epochs of 100,000 patches, of which there are a dozen here: one cosine stands for all.
SAME_FOR_ALL = {
    "crop": 128,
    "batch-size": 4,
    "simulate-clouds": 0.5,
    "schedule": "cosine",
    "seed": 0,
    "num-workers": 1,
    "device": "cpu",
}
# Without the last two, glibc gives large blocks back and faults them in anew at every step, which
# takes up to half of the processor time.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**32),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
}


# --- the plan -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fold:
    """Which triplets a training sees, and which it is scored on."""

    name: str
    seen: tuple[str, ...]
    held_out: tuple[str, ...]


def plan_folds(triplets: Iterable[str]) -> list[Fold]:
    """Divide the triplets into folds; those of no fold are learned from and never scored."""
    names = sorted(triplets)
    folds = []
    for fold, places in FOLDS.items():
        held_out = tuple(name for name in names if name in places)
        seen = tuple(name for name in names if name not in held_out)
        if held_out:
            folds.append(Fold(fold, seen, held_out))
    return folds


def training_command(
    contestant: Contestant, fold: Fold, data: Path, output: Path, steps: int
) -> list[str]:
    """Write the words of the training of one network on one fold."""
    words = ["train", contestant.network, "--data", str(data), "--output", str(output)]
    words += [word for name in fold.held_out for word in ("--hold-out", name)]
    words += [word for text in contestant.settings for word in ("--network-setting", text)]
    words += [word for name, value in SAME_FOR_ALL.items() for word in (f"--{name}", str(value))]
    # Samples and checkpoint at the end alone: they would take their time from the training.
    names = ("steps", "checkpoint-every", "sample-every")
    ends = [word for name in names for word in (f"--{name}", steps)]
    return [*words, *map(str, ends), "--overwrite", "--quiet"]


# --- running ------------------------------------------------------------------------------------


def cloudfree(words: Sequence[str]) -> tuple[str, float]:
    """Call cloudfree; what it printed, and the processor seconds it took.

    Processor time, unlike that on the wall, does not depend on what else the machine does.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "cloudfree", *words]
    environment = {**os.environ, **ENVIRONMENT}
    ran = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ran.stdout, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def affordable_steps(seconds_taken: Callable[[int], float]) -> int:
    """How many steps the budget pays for, start and end included; from two short trainings."""
    short, long = seconds_taken(SHORT), seconds_taken(LONG)
    step = (long - short) / (LONG - SHORT)
    return int((BUDGET_SECONDS - (short - SHORT * step)) / step)


def train(contestant: Contestant, fold: Fold, data: Path, runs: Path, steps: int) -> Results:
    """Train one network on one fold."""
    output = runs / fold.name / contestant.network
    _, seconds = cloudfree(training_command(contestant, fold, data, output, steps))
    with (output / "losses.csv").open(encoding="utf-8", newline="") as file:
        *_, last = csv.DictReader(file)
    return {
        "processor_minutes": round(seconds / 60, 2),
        "wall_minutes": round(float(last["seconds"]) / 60, 2),
        "last_loss": float(last["loss"]),
    }


def score(model: Path, data: Path) -> tuple[dict[str, Metrics], dict[str, Metrics]]:
    """Score a model and doing nothing: of each triplet the figures over all pixels."""
    text, _ = cloudfree(
        ["evaluate", "--data", str(data), "--model", str(model), "--device", "cpu", "-q", "--json"]
    )
    patches = {patch["name"]: patch["figures"] for patch in json.loads(text)["patches"]}
    raw, nothing = (
        {
            name: {metric: round(figures[method]["all"][metric], 4) for metric in METRICS}
            for name, figures in patches.items()
        }
        for method in (f"{model.name}, raw", "do nothing")
    )
    return raw, nothing


def link_triplets(names: Iterable[str], data: Path, folder: Path) -> Path:
    """Make a folder that holds some of the triplets and no others."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in names:
        for path in data.glob(f"{name}_s[12]*.tif"):
            (folder / path.name).symlink_to(path.resolve())
    return folder


def describe(contestant: Contestant, fold: Fold, data: Path, runs: Path) -> Results:
    """Measure what a network can afford, and count what it learns."""
    output = runs / "probe" / contestant.network
    steps = affordable_steps(
        lambda number: cloudfree(training_command(contestant, fold, data, output, number))[1]
    )
    shown = json.loads(cloudfree(["models", "show", str(output), "--json"])[0])
    settings = list(contestant.settings)
    return {"settings": settings, "parameters": shown["parameters"], "steps": steps, "folds": {}}


def run(data: Path, runs: Path) -> None:
    """Fold by fold through all networks, so that a stop leaves whole folds."""
    folds = plan_folds(path.name.removesuffix("_s1.tif") for path in data.glob("*_s1.tif"))
    results = read_results()
    for fold in folds:
        held_out = link_triplets(fold.held_out, data, runs / fold.name / "held_out")
        for contestant in CONTESTANTS:
            if contestant.network not in results["networks"]:
                results["networks"][contestant.network] = describe(contestant, fold, data, runs)
            own = results["networks"][contestant.network]
            if fold.name not in own["folds"]:
                trained = train(contestant, fold, data, runs, own["steps"])
                raw, nothing = score(runs / fold.name / contestant.network, held_out)
                own["folds"][fold.name] = {**trained, "triplets": raw}
                results["do_nothing"] |= {fold.name: nothing}
                write_results(results)
                print(contestant.network, fold.name, trained, mean_metrics(raw), flush=True)


def read_results() -> Results:
    """Read what is finished, or begin anew."""
    if RESULTS.exists():
        found: Results = json.loads(RESULTS.read_text(encoding="utf-8"))
        return found
    return {
        "protocol": "cloudfree evaluate, native, raw prediction, all pixels",
        "budget_minutes": BUDGET_SECONDS / 60,
        "hardware": HARDWARE,
        "training": SAME_FOR_ALL,
        "do_nothing": {},
        "networks": {},
    }


def write_results(results: Results) -> None:
    """Write under a temporary name, then rename."""
    part = RESULTS.with_suffix(".part")
    part.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    part.rename(RESULTS)


# --- the table ----------------------------------------------------------------------------------


def mean_metrics(triplets: dict[str, Metrics]) -> Metrics:
    """Average over triplets."""
    return {metric: fmean(figures[metric] for figures in triplets.values()) for metric in METRICS}


def table(results: Results) -> str:
    """The networks on the folds that all of them finished, beside nothing and what is shipped."""
    networks = results["networks"]
    begun = results["do_nothing"]
    done = [fold for fold in begun if all(fold in one["folds"] for one in networks.values())]
    if not done:
        return "No fold is finished."
    nothing = merged(begun[fold] for fold in done)
    shipped = json.loads((SHIPPED / "scores.json").read_text(encoding="utf-8"))["folds"]
    lines = [
        f"Finished of the folds {', '.join(shipped)}: {', '.join(done)}, {len(nothing)} triplets.",
        "",
        "| network | parameters | steps | minutes | PSNR (dB) | SSIM | SAM (degrees) | MAE |",
        "|---|---|---|---|---|---|---|---|",
        row("doing nothing", "", nothing),
    ]
    for name, one in networks.items():
        minutes = fmean(one["folds"][fold]["processor_minutes"] for fold in done)
        figures = merged(one["folds"][fold]["triplets"] for fold in done)
        cost = f"{one['parameters']:,} | {one['steps']} | {minutes:.1f}"
        lines.append(row(f"`{name}`", cost, figures))
    return "\n".join([*lines, shipped_row([shipped[fold] for fold in done])])


def shipped_row(folds: Sequence[Results]) -> str:
    """The line of the shipped model, whose training saw none of the folds."""
    card = tomllib.loads((SHIPPED / "card.toml").read_text(encoding="utf-8"))
    training = card["training"]
    raw = merged({name: one["raw"] for name, one in fold["triplets"].items()} for fold in folds)
    weights = load_file(SHIPPED / card["weights"])
    parameters = sum(tensor.numel() for tensor in weights.values())
    cost = f"{parameters:,} | {training['steps']} | {training['minutes']:.0f}"
    return row("`cloudfree-s` as shipped", cost, raw)


def row(name: str, cost: str, triplets: dict[str, Metrics]) -> str:
    """Write one line of the table; `cost` is parameters, steps and minutes."""
    mean = mean_metrics(triplets)
    figures = f"{mean['psnr']:.2f} | {mean['ssim']:.3f} | {mean['sam']:.1f} | {mean['mae']:.4f}"
    return f"| {name} | {cost or '| |'} | {figures} |"


def merged(folds: Iterable[dict[str, Metrics]]) -> dict[str, Metrics]:
    """The triplets of all folds."""
    return {name: figures for fold in folds for name, figures in fold.items()}


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run", help="train and score what is not finished yet")
    running.add_argument("--data", type=Path, required=True)
    running.add_argument("--runs", type=Path, required=True)
    running.set_defaults(action=lambda options: run(options.data, options.runs))
    showing = commands.add_parser("table", help="print the table")
    showing.set_defaults(action=lambda _: print(table(read_results())))
    options = parser.parse_args()
    options.action(options)


if __name__ == "__main__":
    main()
