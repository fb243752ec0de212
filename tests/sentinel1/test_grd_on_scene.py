"""A GRD product against an optical scene, from the files to the result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from scipy.ndimage import map_coordinates

from cloudfree.commands.coregister.options import CoregisterOptions
from cloudfree.commands.coregister.run import run
from cloudfree.core.displacement import Shift
from cloudfree.core.radiometry import linear_power
from cloudfree.core.terminal import silent
from cloudfree.coregistration.clear_windows import BANDS
from tests.factories.rasters import TEN_METRES, write_raster
from tests.factories.scene_pairs import field_pair
from tests.factories.sentinel1_products import NAME, Scene, Tables, ground_of, write_safe, zipped

SIDE = 192
IMAGE = 330
SHIFT = Shift(3.4, -2.7)


def _product(folder: Path, decibels: np.ndarray) -> Path:
    """The image of a scene on the grid of the optical one, looked at askew."""
    middle = TEN_METRES @ (SIDE / 2, SIDE / 2)
    there = ground_of(np.array(IMAGE / 2), np.array(IMAGE / 2), 0.0, (0.0, 0.0))
    corner = (float(middle[0] - there[0]), float(middle[1] - there[1]))
    line, pixel = np.mgrid[:IMAGE, :IMAGE].astype(float)
    cols, rows = ~TEN_METRES @ np.stack(ground_of(line, pixel, 0.0, corner))
    tables, numbers = Tables(), {}
    for name, power in zip(("VV", "VH"), linear_power(decibels), strict=True):
        sigma = map_coordinates(power, [rows - 0.5, cols - 0.5], order=1, mode="mirror")
        squares = sigma * tables.gain_at(line, pixel) ** 2 + tables.noise_at(line, pixel, IMAGE)
        numbers[name] = np.rint(np.sqrt(squares)).astype(np.uint16)
    return write_safe(folder, Scene(numbers, tables, corner_m=corner))


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_a_product_is_calibrated_placed_and_aligned(tmp_path: Path, packed: bool) -> None:
    optical, decibels = field_pair(SIDE, SHIFT)
    root = _product(tmp_path, decibels)
    numbers = np.rint(optical * 10_000).astype(np.uint16)
    # Named and dated as the field of the product seven hours later.
    s2 = tmp_path / "S2A_MSIL1C_20210425T003240_N0300_R008_T31TCJ.tif"
    write_raster(s2, numbers, BANDS)
    result = run(CoregisterOptions((zipped(root) if packed else root,), s2), silent)
    assert result.applied
    assert result.shift_px == pytest.approx({"row": 3.4, "col": -2.7}, abs=0.15)
    assert result.output == tmp_path / f"{NAME}_coregistered.tif"
    assert result.s1_units == "dn"
    with rasterio.open(result.output) as dataset:
        seen, tags = dataset.read(), dataset.tags()
    assert tags["CLOUDFREE_S1_ORBIT"] == "ascending 95"
    assert tags["CLOUDFREE_GAP_DAYS"] == "0.29"
    # On the optical grid the radar shows the fields that the optical scene shows.
    aligned = field_pair(SIDE, Shift())[1]
    inner = np.s_[:, 8:-8, 8:-8]
    left, right = (np.nan_to_num(image[inner]).ravel() for image in (seen, aligned))
    shifted = np.corrcoef(decibels[inner].ravel(), right)[0, 1]
    assert np.corrcoef(left, right)[0, 1] > max(0.5, shifted)
