"""A full-size scene for timings, made once and kept outside the repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.radiometry import QUANTIFICATION
from cloudfree.inference.sliding_window import TilePlan
from tests.factories.rasters import TEN_METRES, UTM31

if TYPE_CHECKING:
    from cloudfree.simulation.scene import SimulatedScene

# Side of the simulated pieces that the scene is laid out with, and how many different ones.
PIECE_PX = 1024
PIECES = 4
CLOUD_COVER = 0.3
# Side of the clouds of a mask of known cover: as two of the default model's tiles.
SQUARE_PX = 512
# Shares of a scene under cloud for which there is a mask.
COVERS = (0.1, 0.3)


def folder() -> Path:
    """Where scenes are kept: CLOUDFREE_BENCH_DIR, else the user's cache."""
    given = os.environ.get("CLOUDFREE_BENCH_DIR")
    path = Path(given) if given else Path.home() / ".cache" / "cloudfree-bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


def full_scene(size: int) -> tuple[Path, Path]:
    """Sentinel-2 (13 bands, uint16) and Sentinel-1 (dB) of a square scene of `size` pixels."""
    s2, s1 = folder() / f"s2_{size}.tif", folder() / f"s1_{size}.tif"
    if not (s2.is_file() and s1.is_file()):
        from cloudfree.simulation.scene import simulate_scene  # which needs torch

        shape, still = (PIECE_PX, PIECE_PX), (0.0, 0.0)
        pieces = [simulate_scene(shape, seed, CLOUD_COVER, still) for seed in range(PIECES)]
        _lay_out(s2, size, [_digital_numbers(piece) for piece in pieces], OPTICAL_BANDS)
        _lay_out(s1, size, [_radar(piece) for piece in pieces], SAR_BANDS)
    return s2, s1


def earlier_scenes(size: int, count: int) -> list[Path]:
    """Other dates of the same ground, clear and each a little darker, days before the scene."""
    paths = [folder() / f"s2_{size}_202104{24 - 5 * n:02d}.tif" for n in range(1, count + 1)]
    missing = [(n, path) for n, path in enumerate(paths, start=1) if not path.is_file()]
    if missing:
        from cloudfree.simulation.scene import simulate_scene  # which needs torch

        shape, still = (PIECE_PX, PIECE_PX), (0.0, 0.0)
        pieces = [simulate_scene(shape, seed, CLOUD_COVER, still).clear for seed in range(PIECES)]
        for number, path in missing:
            darker = [np.rint(piece * (1 - 0.05 * number) * QUANTIFICATION) for piece in pieces]
            _lay_out(path, size, [one.astype(np.uint16) for one in darker], OPTICAL_BANDS)
    return paths


def _digital_numbers(piece: SimulatedScene) -> NDArray[np.generic]:
    return np.clip(np.rint(piece.cloudy * QUANTIFICATION), 1, 65535).astype(np.uint16)


def _radar(piece: SimulatedScene) -> NDArray[np.generic]:
    from cloudfree.simulation.scene import SAR_MARGIN_PX

    inside = slice(SAR_MARGIN_PX, SAR_MARGIN_PX + PIECE_PX)
    return piece.sar[:, inside, inside]


def _lay_out(
    path: Path, size: int, pieces: list[NDArray[np.generic]], names: tuple[str, ...]
) -> None:
    """Write the pieces side by side, turned and mirrored so that no two neighbours are alike."""
    part = path.with_suffix(".part.tif")
    with rasterio.open(
        part, "w", driver="GTiff", count=len(names), height=size, width=size,
        dtype=pieces[0].dtype, crs=UTM31, transform=TEN_METRES, tiled=True, blockxsize=512,
        blockysize=512, compress="deflate", predictor=2 if pieces[0].dtype == np.uint16 else 3,
        interleave="band", bigtiff="if_safer", num_threads="all_cpus",
    ) as dataset:  # fmt: skip
        dataset.descriptions = names
        for window, pixels in _mosaic(size, pieces):
            dataset.write(pixels, window=window)
    part.replace(path)


def _mosaic(
    size: int, pieces: list[NDArray[np.generic]]
) -> Iterator[tuple[Window, NDArray[np.generic]]]:
    rng = np.random.default_rng(0)
    for row in range(0, size, PIECE_PX):
        for col in range(0, size, PIECE_PX):
            piece = np.rot90(pieces[rng.integers(PIECES)], rng.integers(4), axes=(1, 2))
            height, width = min(PIECE_PX, size - row), min(PIECE_PX, size - col)
            yield Window(col, row, width, height), piece[:, :height, :width]


def cover_mask(size: int, share: float) -> Path:
    """A mask whose clouds are squares of 512 pixels, `share` of the scene, spread at random."""
    path = folder() / f"mask_{size}_{round(100 * share)}.tif"
    if not path.is_file():
        with rasterio.open(
            path, "w", driver="GTiff", count=1, height=size, width=size, dtype="uint8",
            crs=UTM31, transform=TEN_METRES, tiled=True, compress="deflate", nodata=255,
        ) as dataset:  # fmt: skip
            dataset.write(_squares(size, share)[np.newaxis])
    return path


def cloudy_tiles(plan: TilePlan, share: float) -> float:
    """Share of the tiles that hold some of a mask's clouds: no fewer can be predicted."""
    with rasterio.open(cover_mask(plan.height, share)) as dataset:
        mask = dataset.read(1)
    return float(np.mean([mask[tile.slices].any() for tile in plan]))


def _squares(size: int, share: float) -> NDArray[np.uint8]:
    side = -(-size // SQUARE_PX)
    order = np.random.default_rng(1).permutation(side * side).reshape(side, side)
    cloudy = (order < share * side * side).astype(np.uint8)
    return cloudy.repeat(SQUARE_PX, axis=0).repeat(SQUARE_PX, axis=1)[:size, :size]
