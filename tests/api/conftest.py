"""A simulated scene as files and as arrays."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import cloudfree
from cloudfree.commands.simulate import run as simulate
from cloudfree.commands.simulate.options import SimulateOptions
from cloudfree.core.terminal import silent
from cloudfree.sentinel1.sar_source import open_sar_source
from cloudfree.sentinel2.optical_scene import OpticalScene


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated scene with its radar."""
    folder = tmp_path_factory.mktemp("api")
    simulate.run(SimulateOptions(folder, size=160, seed=5), silent)
    return folder


@dataclasses.dataclass(frozen=True)
class SceneArrays:
    optical: np.ndarray
    sar: np.ndarray
    bands: tuple[str, ...]
    grid: cloudfree.Grid
    azimuth: float | None


@pytest.fixture(scope="package")
def arrays(folder: Path) -> SceneArrays:
    """The same scene in memory."""
    with OpticalScene(folder / "s2_cloudy.tif") as scene, open_sar_source(folder / "s1.tif") as sar:
        window = scene.grid.window
        return SceneArrays(
            scene.reflectance(scene.bands, window),
            sar.on_grid(scene.grid, window),
            scene.bands,
            scene.grid,
            scene.sun_azimuth_deg,
        )
