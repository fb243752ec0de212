"""Train the default cloud detector.

    python -m cloudfree.training.detector --regions REGIONS --run RUN [--leave-out REGION ...]

REGIONS has a folder for each region with NAME_clear.tif and perhaps NAME_cloudy.tif of the same
ground, digital numbers without an offset. RUN gets the drawn samples, checkpoints, and at the end
detector.onnx; a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from cloudfree.cloudmask.network_detector import DETECTOR_BANDS
from cloudfree.core.terminal import muted_log
from cloudfree.training.detector.fit import fit
from cloudfree.training.detector.network import CloudDetector, write_detector
from cloudfree.training.detector.pool import draw_pool
from cloudfree.training.detector.regions import open_regions

SAMPLES, STEPS, SEED = 4300, 4000, 11


def main() -> None:
    """Read the command line, draw the samples, fit and export."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--regions", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--leave-out", action="append", default=[], metavar="REGION")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    train(options.regions, options.run, options.leave_out, options.samples, options.steps)


def train(folder: Path, run: Path, left_out: list[str], samples: int, steps: int) -> Path:
    """Train on the regions of a folder that are not left out; the ONNX file of the detector."""
    run.mkdir(parents=True, exist_ok=True)
    with muted_log():
        regions = [one for one in open_regions(folder) if one.name not in left_out]
    pool = draw_pool(regions, samples, SEED, run / "samples")
    torch.manual_seed(SEED)
    network = CloudDetector(DETECTOR_BANDS)
    fit(network, lambda step: pool.batch(SEED, step), steps, run / "checkpoint.pt")
    path = run / "detector.onnx"
    write_detector(network.eval(), path)
    return path


if __name__ == "__main__":
    main()
