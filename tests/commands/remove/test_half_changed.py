"""A reference of which half of the fields have changed since."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

import cloudfree
from cloudfree.commands.simulate.options import SimulateOptions
from cloudfree.commands.simulate.run import run as simulate
from cloudfree.core.radiometry import QUANTIFICATION, Float32
from cloudfree.core.terminal import silent
from cloudfree.gapfilling.observation import Where

DATES = 8  # the first of which lies a hundred days back
HUNDRED_DAYS_BACK = "20210114"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place") / "scene"
    simulate(SimulateOptions(folder, size=320, seed=3, dates=DATES), silent)
    return folder


@pytest.fixture(scope="module")
def changed(place: Path) -> Where:
    path = place / "earlier" / "truth" / f"changed_{HUNDRED_DAYS_BACK}.tif"
    return np.asarray(_read(path)[0] > 0)


def _read(path: Path) -> Float32:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(), np.float32)


def _psnr(place: Path, filled: Path, where: Where) -> float:
    """PSNR in dB of hidden pixels that are also `where`."""
    hidden = _read(place / "truth_mask.tif")[0] > 0
    error = (_read(filled) - _read(place / "s2_clear.tif")) / np.float32(QUANTIFICATION)
    return float(-10 * np.log10(np.square(error[:, hidden & where]).mean()))


def _removed(place: Path, name: str, **options: object) -> Path:
    output = place / f"{name}.tif"
    cloudfree.remove(
        place / "s1.tif",
        place / "s2_cloudy.tif",
        mask=place / "truth_mask.tif",
        output=output,
        **options,  # type: ignore[arg-type]
    )
    return output


def test_it_is_better_than_the_network_and_than_the_reference_alone(
    place: Path, changed: Where
) -> None:
    earlier = place / "earlier"
    alone = earlier / "truth" / f"clear_{HUNDRED_DAYS_BACK}.tif"
    network = _removed(place, "network", fill_by="network")
    both = _removed(
        place,
        "both",
        references=[alone],
        reference_s1=[earlier / f"s1_{HUNDRED_DAYS_BACK}.tif"],
    )
    for where in (changed, ~changed):
        ours = _psnr(place, both, where)
        assert ours > _psnr(place, network, where)
        assert ours > _psnr(place, alone, where) + 1
