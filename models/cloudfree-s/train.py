"""Train, cross-validate and assemble the model ``cloudfree-s``.

The shipped files were made by these commands, DATA being the folder of real imagery (triplets,
pairs, a time series and scenes) and RUNS an empty folder; SIM holds 48 simulated scenes, for SEED
from 101 to 148 and COVER 0.25, 0.4, 0.55 or 0.7 for a remainder of SEED / 4 of 0, 1, 2 or 3:

    cloudfree simulate SIM/SEED --size 512 --seed SEED --cloud-cover COVER --misregistration 0 0
    python train.py train --data DATA --sim SIM --fold A --start FIRST/A/WEIGHTS --out RUNS/A
    python train.py train --data DATA --sim SIM --fold B --start FIRST/B/WEIGHTS --out RUNS/B
    python train.py train --data DATA --sim SIM --fold C --start FIRST/C/WEIGHTS --out RUNS/C
    python train.py train --data DATA --sim SIM --fold none --start FIRST/all/WEIGHTS --out RUNS/all
    python train.py evaluate --data DATA --runs RUNS
    python train.py assemble --runs RUNS --model . --hardware TEXT
    python train.py calibrate --data DATA --runs RUNS --model .

The scenes had clouds of harder edges then, as `cloudfree simulate` of commit 2218623 draws them.
FIRST is the RUNS of the version of this model before this one, and WEIGHTS is weights.safetensors.
Commit fd9c886 holds that version with its commands; its FIRST/all/WEIGHTS are the weights that it
ships.

A fold leaves its places out of everything: targets, SAR and cloud donors. Step k of a run draws
its samples from the seed and k alone, so a resumed run sees what an unbroken one would have seen.
"""

import argparse
import json
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from deviations import calibrate
from patches import FOLDS, Library, open_library
from rasterio.errors import NotGeoreferencedWarning
from safetensors.torch import load_file, save_file
from samples import make_sample, make_simulated
from scores import assemble, evaluate
from torch import Tensor, nn
from torch.nn import functional

from cloudfree.networks.cloudfree_s import CloudfreeS

SEED, WEIGHT_DECAY = 2026, 0.02


STEPS, COOLING, LEARNING_RATE = 400, 200, 3e-4  # from step COOLING the rate falls to 0
STRUCTURE_BANDS = [1, 3, 7, 11]  # B02, B04, B08, B11: one of each part of the spectrum
SIMULATED = 0.35  # share of samples from simulated scenes, where radar and ground agree to a pixel


# --- training -----------------------------------------------------------------------------------


def make_batch(library: Library, seed: int, step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Make the batch of a step: 8 windows of 128 pixels, every second time 2 of 256."""
    rng = np.random.default_rng((seed, step))
    count, size = (2, 256) if step % 2 else (8, 128)
    samples = [
        make_simulated(rng, library, size)
        if rng.random() < SIMULATED
        else make_sample(rng, library, size)
        for _ in range(count)
    ]
    optical, sar, shadow, clear = (
        torch.from_numpy(np.stack([getattr(sample, name) for sample in samples]))
        for name in ("optical", "sar", "shadow", "clear")
    )
    return optical, sar, shadow, clear


def structure_loss(result: Tensor, clear: Tensor) -> Tensor:
    """One minus the structural similarity of four bands, on windows of 8 pixels every 4 pixels."""
    result, clear = result[:, STRUCTURE_BANDS], clear[:, STRUCTURE_BANDS]
    stacked = torch.cat([result, clear, result * result, clear * clear, result * clear], dim=1)
    mean_r, mean_c, square_r, square_c, product = functional.avg_pool2d(stacked, 8, 4).chunk(5, 1)
    covariance = product - mean_r * mean_c
    spread = square_r - mean_r**2 + square_c - mean_c**2
    brightness = (2 * mean_r * mean_c + 1e-4) / (mean_r**2 + mean_c**2 + 1e-4)
    return 1.0 - (brightness * (2 * covariance + 9e-4) / (spread + 9e-4)).mean()


def restoration_loss(result: Tensor, clear: Tensor) -> Tensor:
    """L1 and root mean square, plus colours of 16 x 16 blocks, structure and spectral angle."""
    error = result - clear
    blocks = functional.avg_pool2d(error, 16).abs().mean()
    cosine = functional.cosine_similarity(result, clear, dim=1, eps=1e-3)
    angle = torch.acos(cosine.clamp(-0.9999, 0.9999)).mean()
    spread = (error.square().mean(dim=(1, 2, 3)) + 1e-6).sqrt().mean()  # of each window, as in PSNR
    main = error.abs().mean() + 0.5 * spread + 0.5 * blocks
    return main + 0.1 * structure_loss(result, clear) + 0.05 * angle


def recall_loss(colour: Tensor, clear: Tensor) -> Tensor:
    """L1 of the recalled colours, which so learn what to trust: neither shadow nor haze."""
    return (colour - functional.avg_pool2d(clear, 8)).abs().mean()


def learning_rate(step: int) -> float:
    """Warm up over 200 steps, follow a slow cosine, then cool down on a straight line."""
    slow = 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(step, COOLING) / 2400))
    cooled = min(1.0, (STEPS - step) / (STEPS - COOLING))
    return LEARNING_RATE * min(1.0, (step + 1) / 200) * slow * cooled


@dataclass
class Run:
    """All that a run must remember to go on after a break."""

    network: CloudfreeS
    average: CloudfreeS  # exponential moving average of the weights; this one is kept
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write under a temporary name, then rename."""
        state = {name: getattr(self, name) for name in ("step", "seconds")}
        for name in ("network", "average", "optimizer"):
            state[name] = getattr(self, name).state_dict()
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    def load(self, path: Path) -> None:
        """Go back to a saved state."""
        state = torch.load(path, weights_only=True)
        self.step, self.seconds = state["step"], state["seconds"]
        for name in ("network", "average", "optimizer"):
            getattr(self, name).load_state_dict(state[name])


def start_run(start: Path, seed: int) -> Run:
    """Set up networks and optimiser."""
    torch.manual_seed(seed)
    network, average = CloudfreeS(), CloudfreeS()
    network.load_state_dict(load_file(start))
    average.load_state_dict(network.state_dict())
    decayed = [p for p in network.parameters() if p.ndim == 4]
    rest = [p for p in network.parameters() if p.ndim != 4]
    optimizer = torch.optim.AdamW(decayed, weight_decay=WEIGHT_DECAY)
    optimizer.add_param_group({"params": rest, "weight_decay": 0.0})
    return Run(network, average, optimizer)


def whole_loss(
    network: CloudfreeS, optical: Tensor, sar: Tensor, shadow: Tensor, clear: Tensor
) -> Tensor:
    """Restore a batch and compare it with its truth."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result, colour = network.restore(optical, sar, shadow, specks_hidden=False)
    return restoration_loss(result.float(), clear) + 0.25 * recall_loss(colour.float(), clear)


def take_step(run: Run, compare: Callable[..., Tensor], library: Library, seed: int) -> float:
    """Do one step and return its loss."""
    for group in run.optimizer.param_groups:
        group["lr"] = learning_rate(run.step)
    loss = compare(run.network, *make_batch(library, seed, run.step))
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(run.network.parameters(), 0.5)
    run.optimizer.step()
    decay = min(0.998, (1 + run.step) / (10 + run.step))
    with torch.no_grad():
        for kept, new in zip(run.average.parameters(), run.network.parameters(), strict=True):
            kept.lerp_(new, 1.0 - decay)
    run.step += 1
    return float(loss.detach())


def train(options: argparse.Namespace) -> None:
    """Train one fold, writing a checkpoint every 200 steps and the averaged weights at the end."""
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.out / "checkpoint.pt"
    library = open_library(options.data, options.sim, FOLDS[options.fold])
    run = start_run(options.start, options.seed)
    if options.resume and checkpoint.exists():
        run.load(checkpoint)
    compare = torch.compile(whole_loss, dynamic=False)  # takes minutes once, then a third less
    recent: list[float] = []
    while run.step < STEPS:
        begun = time.monotonic()
        recent.append(take_step(run, compare, library, options.seed))
        run.seconds += time.monotonic() - begun
        if run.step % 50 == 0:
            print(f"{run.step} loss {np.mean(recent):.4f} {run.seconds:.0f} s", flush=True)
            recent.clear()
        if run.step % 200 == 0:
            run.save(checkpoint)
            save_file(run.average.state_dict(), options.out / "weights.safetensors")
    save_file(run.average.state_dict(), options.out / "weights.safetensors")
    record = {"fold": options.fold, "steps": run.step, "seed": options.seed}
    record |= {"minutes": round(run.seconds / 60, 1)}
    (options.out / "training.json").write_text(json.dumps(record))


def main() -> None:
    """Read the command line and do one sub-step."""
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train", help="train one fold, or on everything")
    training.add_argument("--data", type=Path, required=True)
    training.add_argument("--fold", choices=sorted(FOLDS), required=True)
    training.add_argument("--sim", type=Path, required=True, help="folder of scenes")
    training.add_argument("--start", type=Path, required=True, help="weights of the first run")
    training.add_argument("--seed", type=int, default=SEED)
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--resume", action="store_true")
    training.set_defaults(action=train)
    scoring = commands.add_parser("evaluate", help="score the folds, each with its own run")
    scoring.add_argument("--data", type=Path, required=True)
    scoring.add_argument("--runs", type=Path, required=True)
    scoring.set_defaults(action=lambda options: evaluate(options.data, options.runs))
    shipping = commands.add_parser("assemble", help="write weights, card and scores of the model")
    shipping.add_argument("--runs", type=Path, required=True)
    shipping.add_argument("--model", type=Path, required=True)
    shipping.add_argument("--hardware", required=True, help="what the runs were made on")
    shipping.set_defaults(action=lambda o: assemble(o.runs, o.model, o.hardware))
    calibrating = commands.add_parser("calibrate", help="write [uncertainty] into the card")
    calibrating.add_argument("--data", type=Path, required=True)
    calibrating.add_argument("--runs", type=Path, required=True)
    calibrating.add_argument("--model", type=Path, required=True)
    calibrating.set_defaults(action=lambda o: calibrate(o.data, o.runs, o.model))
    options = parser.parse_args()
    options.action(options)


if __name__ == "__main__":
    main()
