"""Train, score and assemble the model ``cloudfree-s``.

The shipped files were made by these commands, DATA being the folder of real imagery (triplets,
pairs, a time series and scenes) and RUNS an empty folder; SIM holds simulated scenes, for SEED from
101 to 388 and COVER 0.25, 0.4, 0.55 or 0.7 for a remainder of SEED / 4 of 0, 1, 2 or 3:

    cloudfree simulate SIM/SEED --size 512 --seed SEED --cloud-cover COVER --misregistration 0 0
    torchrun --nproc-per-node 2 train.py train --data DATA --sim SIM --weights SECOND \
        --steps 6500 --out RUNS/third
    torchrun --nproc-per-node 2 train.py train --data DATA --sim SIM \
        --weights RUNS/third/weights.safetensors --steps 8000 --out RUNS/fourth
    python train.py evaluate --data DATA --run RUNS/fourth
    python train.py assemble --run RUNS/fourth --model . --hardware TEXT
    python train.py calibrate --data DATA --run RUNS/fourth --model .

SECOND is pretrained.safetensors of this folder in commit 236946b, made by two runs of the same kind
of 10800 steps (../README.md); without ``--weights`` training begins from nothing. The third run had
the scenes up to seed 260, all of them in both processes.

Training leaves out every place that is scored: targets, SAR and cloud donors. Step k of a run draws
its samples from the seed, the process and k alone, so a resumed run sees what an unbroken one would
have seen.
"""

import argparse
import json
import math
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from deviations import calibrate
from patches import Library, open_library
from rasterio.errors import NotGeoreferencedWarning
from safetensors.torch import load_file, save_file
from samples import make_sample
from scores import assemble, evaluate
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from cloudfree.networks.cloudfree_s import CloudfreeS

SEED, WEIGHT_DECAY, AVERAGED = 2026, 0.02, 0.999
RATE, RISING = 8e-4, 100  # the rate rises over so many steps, then falls on a cosine
STRUCTURE_BANDS = [1, 3, 7, 11]  # B02, B04, B08, B11: one of each part of the spectrum


Batch = tuple[Tensor, ...]


# --- training -----------------------------------------------------------------------------------


def make_batch(library: Library, key: tuple[int, ...]) -> Batch:
    """Make the batch of a step, the last of ``key``: 4 windows of 128 pixels, or 1 of 256."""
    rng = np.random.default_rng(key)
    count, size = (1, 256) if key[-1] % 2 else (4, 128)
    samples = [make_sample(rng, library, size) for _ in range(count)]
    return tuple(
        torch.from_numpy(np.stack([getattr(sample, name) for sample in samples]))
        for name in ("optical", "sar", "shadow", "clear")
    )


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


def learning_rate(step: int, steps: int) -> float:
    """Rise on a straight line, fall to 0 on a cosine."""
    fall = 0.5 * (1.0 + math.cos(math.pi * step / steps))
    return RATE * min(1.0, (step + 1) / RISING) * fall


@dataclass
class TrainState:
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


def start_training_state(start: Path | None, seed: int) -> TrainState:
    """Set up networks and optimiser."""
    torch.manual_seed(seed)
    network, average = CloudfreeS(), CloudfreeS()
    if start:
        network.load_state_dict(load_file(start))
    average.load_state_dict(network.state_dict())
    decayed = [p for p in network.parameters() if p.ndim == 4]
    rest = [p for p in network.parameters() if p.ndim != 4]
    optimizer = torch.optim.AdamW(decayed, weight_decay=WEIGHT_DECAY)
    optimizer.add_param_group({"params": rest, "weight_decay": 0.0})
    return TrainState(network, average, optimizer)


def whole_loss(
    network: CloudfreeS, optical: Tensor, sar: Tensor, shadow: Tensor, clear: Tensor
) -> Tensor:
    """Restore a batch and compare it with its truth."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        result, colour = network.fill(optical, sar, shadow, specks_hidden=False)
    return restoration_loss(result.float(), clear) + 0.25 * recall_loss(colour.float(), clear)


def share_gradients(network: CloudfreeS) -> None:
    """Give every process the mean of the gradients of all."""
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = parameters_to_vector(gradients)
    distributed.all_reduce(flat)
    vector_to_parameters(flat / distributed.get_world_size(), gradients)


def train_step(run: TrainState, rate: float, compare: Callable[..., Tensor], batch: Batch) -> float:
    """Do one step and return its loss."""
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    loss = compare(run.network, *batch)
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    if distributed.is_initialized():
        share_gradients(run.network)
    nn.utils.clip_grad_norm_(run.network.parameters(), 0.5)
    run.optimizer.step()
    decay = min(AVERAGED, (1 + run.step) / (10 + run.step))
    with torch.no_grad():
        for kept, new in zip(run.average.parameters(), run.network.parameters(), strict=True):
            kept.lerp_(new, 1.0 - decay)
    run.step += 1
    return float(loss.detach())


def join_processes() -> tuple[int, int]:
    """Join the processes that torchrun started: the number of this one, and how many there are."""
    if "RANK" not in os.environ:
        return 0, 1
    distributed.init_process_group("gloo")
    return distributed.get_rank(), distributed.get_world_size()


def train(options: argparse.Namespace) -> None:
    """Train, writing a checkpoint every 500 steps and the averaged weights at the end."""
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.out / "checkpoint.pt"
    rank, processes = join_processes()
    scenes = sorted(path for path in options.sim.iterdir() if path.is_dir())
    library = open_library(options.data, scenes[rank::processes])
    run = start_training_state(options.weights, options.seed)
    if options.resume and checkpoint.exists():
        run.load(checkpoint)
    compare = torch.compile(whole_loss, dynamic=False)  # takes minutes once, then a fifth less
    recent: list[float] = []
    while run.step < options.steps:
        begun = time.monotonic()
        batch = make_batch(library, (options.seed, rank, run.step))
        recent.append(train_step(run, learning_rate(run.step, options.steps), compare, batch))
        run.seconds += time.monotonic() - begun
        if rank == 0 and run.step % 50 == 0:
            print(f"{run.step} loss {np.mean(recent):.4f} {run.seconds:.0f} s", flush=True)
            recent.clear()
        if rank == 0 and (run.step % 500 == 0 or run.step == options.steps):
            run.save(checkpoint)
            save_file(run.average.state_dict(), options.out / "weights.safetensors")
    if rank == 0:
        record = {"steps": run.step, "seed": options.seed, "processes": processes}
        record |= {"minutes": round(run.seconds / 60, 1)}
        (options.out / "training.json").write_text(json.dumps(record))


def main() -> None:
    """Read the command line and do one sub-step."""
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train", help="train on what is not scored")
    training.add_argument("--data", type=Path, required=True)
    training.add_argument("--sim", type=Path, required=True, help="folder of scenes")
    training.add_argument("--weights", type=Path, help="weights to go on from")
    training.add_argument("--steps", type=int, default=8000)
    training.add_argument("--seed", type=int, default=SEED)
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--resume", action="store_true")
    training.set_defaults(action=train)
    scoring = commands.add_parser("evaluate", help="score a run on the places it never saw")
    scoring.add_argument("--data", type=Path, required=True)
    scoring.add_argument("--run", type=Path, required=True)
    scoring.set_defaults(action=lambda options: evaluate(options.data, options.run))
    shipping = commands.add_parser("assemble", help="write weights, card and scores of the model")
    shipping.add_argument("--run", type=Path, required=True)
    shipping.add_argument("--model", type=Path, required=True)
    shipping.add_argument("--hardware", required=True, help="what the run was made on")
    shipping.set_defaults(action=lambda o: assemble(o.run, o.model, o.hardware))
    calibrating = commands.add_parser("calibrate", help="write [uncertainty] into the card")
    calibrating.add_argument("--data", type=Path, required=True)
    calibrating.add_argument("--run", type=Path, required=True)
    calibrating.add_argument("--model", type=Path, required=True)
    calibrating.set_defaults(action=lambda o: calibrate(o.data, o.run, o.model))
    options = parser.parse_args()
    options.action(options)


if __name__ == "__main__":
    main()
