"""Time and memory on a full scene: `python -m tests.bench.full_scene [--short | --scaling]`.

Every case runs in a process of its own, and cases alternate, so that other load affects all alike;
the table has medians and ratios, saved in `bench.json`. Ratios are reliable, seconds are not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from cloudfree.inference.load import find_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.sliding_window import TilePlan
from tests.bench.scene import COVERS, cloudy_tiles

FULL_PX, SHORT_PX = 10_980, 2_048
SCALING_PX = (1_024, 2_048, 4_096, 8_192)
# All cloud: the squares of a mask of known cover do not divide small scenes evenly.
SCALING_CASES = ("mask_with_shadow", "remove_all")


@dataclass(frozen=True)
class Measured:
    """Medians over the rounds of one case."""

    case: str
    size: int
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Ratio:
    """Ratio of two cases, and its upper bound."""

    what: str
    of: str
    by: str
    bound: float


RATIOS = (
    Ratio("default mask / decoding its bands", "mask_as_removed", "decode_for_detector", 2.0),
    Ratio("mask without shadows / decoding its bands", "mask_without_shadow", "decode", 1.3),
    Ratio("mask with shadows / decoding its bands", "mask_with_shadow", "decode", 1.9),
    Ratio("remove, one convolution / its parts", "cheap_remove", "cheap_parts", 1.10),
    Ratio("remove, costless network / its parts", "costless_remove", "costless_parts", 1.10),
    Ratio("remove, default model / its parts", "remove_all", "default_parts", 1.10),
    Ratio("remove / MONAI's sliding window", "remove_all", "monai_all", 1.0),
    Ratio("remove, 30 % cloud / all cloud", "remove_30", "remove_all", 0.45),
    Ratio("remove, 10 % cloud / all cloud", "remove_10", "remove_all", 0.20),
    Ratio("remove, scene and model / model alone", "remove_30", "remove_30_by_network", 1.5),
    Ratio("remove, three references / none", "remove_30_by_three", "remove_30", 2.0),
    Ratio("remove, a fourth reference / three", "remove_30_by_four", "remove_30_by_three", 1.3),
)

# Of a network that takes many times as long; only if its cases are requested.
SLOW_RATIOS = (
    Ratio("GLF-CR, 30 % cloud / all cloud", "glf_cr_30", "glf_cr_all", 0.45),
    Ratio("GLF-CR, 10 % cloud / all cloud", "glf_cr_10", "glf_cr_all", 0.20),
)


def run_case(case: str, size: int) -> Measured:
    """One case in a process of its own: seconds of the work and peak memory of the process."""
    command = [sys.executable, "-m", "tests.bench.case", case, str(size)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{case} at {size} px failed")
    return Measured(case, size, json.loads(printed)["seconds"], usage.ru_maxrss / 1000)


def medians(cases: list[str], size: int, rounds: int) -> dict[str, Measured]:
    """All cases, alternating, `rounds` times."""
    runs = [[run_case(case, size) for case in cases] for _ in range(rounds)]
    return {
        case: Measured(
            case,
            size,
            median(run[index].seconds for run in runs),
            max(run[index].peak_mb for run in runs),
        )
        for index, case in enumerate(cases)
    }


def main() -> None:
    """Print the tables and write bench.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a small scene, one round")
    parser.add_argument("--scaling", action="store_true", help="the cases on growing scenes")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--size", type=int, help="side of the scene in pixels")
    parser.add_argument("--cases", nargs="*", help="only these cases")
    parser.add_argument("-o", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    size = options.size or (SHORT_PX if options.short else FULL_PX)
    if options.scaling:
        _print_scaling(options.cases or list(SCALING_CASES), options.rounds)
        return
    # In a process of its own: children inherit the peak memory of this one.
    run_case("make", size)
    wanted = options.cases or [name for ratio in RATIOS for name in (ratio.of, ratio.by)]
    if any("_by_" in case for case in wanted):
        run_case("make_earlier", size)
    found = medians(list(dict.fromkeys(wanted)), size, options.rounds)
    _print(found)
    options.o.write_text(json.dumps([asdict(case) for case in found.values()], indent=2))


def _print_scaling(cases: list[str], rounds: int) -> None:
    """Seconds per million pixels, and how they compare with those of the largest scene."""
    rates: dict[tuple[str, int], float] = {}
    for size in SCALING_PX:
        run_case("make", size)
        for name, measured in medians(cases, size, rounds).items():
            rates[name, size] = measured.seconds / (size * size / 1e6)
    for (name, size), rate in rates.items():
        share = rate / rates[name, SCALING_PX[-1]]
        print(f"{name:22} {size:6d} px {rate:8.4f} s per million pixels {share:6.2f}")


def _print(found: dict[str, Measured]) -> None:
    for case in found.values():
        print(f"{case.case:22} {case.size:6d} px {case.seconds:8.1f} s {case.peak_mb:7.0f} MB")
    for ratio in RATIOS + SLOW_RATIOS:
        if ratio.of in found and ratio.by in found:
            value = found[ratio.of].seconds / found[ratio.by].seconds
            print(f"{ratio.what:44} {value:5.2f}  (bound {ratio.bound:g})")
    if "remove_all" in found:
        card = find_card(DEFAULT_MODEL).card
        size = found["remove_all"].size
        for share in COVERS:
            tiles = cloudy_tiles(TilePlan(size, size, card.tile, card.overlap), share)
            print(f"of the tiles {tiles:.0%} hold some of {share:.0%} cloud")


if __name__ == "__main__":
    main()
