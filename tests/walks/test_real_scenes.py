"""The main job on real scenes, with the model that comes with the tool."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from cloudfree.commands.remove.run import RemoveOptions, RemoveResult, run
from cloudfree.core.mask_classes import FillClass, is_filled
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.inference.load import load_model
from cloudfree.raster.gdal import ignored_warning


def _pixels(path: Path) -> np.ndarray:
    with ignored_warning(NotGeoreferencedWarning), rasterio.open(path) as dataset:
        return dataset.read()


def _remove(s1: Path, s2: Path, folder: Path) -> tuple[RemoveResult, np.ndarray, np.ndarray]:
    result = run(RemoveOptions(s2=s2, s1=(s1,), output=folder / f"{s2.stem}_cloudfree.tif"), silent)
    return result, _pixels(result.output), _pixels(result.filled)[0]


def test_a_scene_with_coordinates(data: Path, tmp_path: Path) -> None:
    scenes = data / "scenes"
    s2 = scenes / "summer19p30_s2_cloudy.tif"
    result, after, marks = _remove(scenes / "summer19p30_s1.tif", s2, tmp_path)
    before = _pixels(s2)
    assert 0.3 < result.filled_fraction < 0.9
    assert np.array_equal(
        after[:, marks == FillClass.ORIGINAL], before[:, marks == FillClass.ORIGINAL]
    )
    with rasterio.open(s2) as one, rasterio.open(result.output) as other:
        assert (one.crs, one.transform) == (other.crs, other.transform)
    # The filled ground is no cloud: dark in blue, as the clear ground beside it.
    assert np.median(after[1, is_filled(marks)]) < 2000


def test_every_triplet_comes_closer_to_its_clear_image(data: Path, tmp_path: Path) -> None:
    gains = []
    for s1 in sorted((data / "triplets").glob("*_s1.tif")):
        name = s1.name.removesuffix("_s1.tif")
        s2 = s1.with_name(f"{name}_s2_cloudy.tif")
        _, after, marks = _remove(s1, s2, tmp_path)
        truth = _pixels(s1.with_name(f"{name}_s2_clear.tif")).astype(float)
        filled = is_filled(marks)
        if filled.mean() > 0.05:
            errors = [
                np.abs(np.minimum(image[:, filled], 10_000) - truth[:, filled]).mean()
                for image in (_pixels(s2), after)
            ]
            gains.append(errors[0] / errors[1])
    assert (
        len(gains) >= 12
    )  # the others are clear, under even haze, or under clouds of a few pixels
    assert np.median(gains) > 2


@pytest.mark.parametrize("name", ["0316", "winter112p797"])
def test_nearly_clear_scenes_stay_nearly_as_they_are(data: Path, tmp_path: Path, name: str) -> None:
    folder = data / "triplets"
    _, after, marks = _remove(folder / f"{name}_s1.tif", folder / f"{name}_s2_cloudy.tif", tmp_path)
    before = _pixels(folder / f"{name}_s2_cloudy.tif")
    assert (marks == FillClass.ORIGINAL).mean() > 0.7
    assert np.array_equal(
        after[:, marks == FillClass.ORIGINAL], before[:, marks == FillClass.ORIGINAL]
    )


@pytest.mark.parametrize("weights", ["RICE1", "RICE2"])
def test_a_published_checkpoint_fills_a_picture_by_its_path(
    data: Path, golden: Path, tmp_path: Path, weights: str
) -> None:
    """SpA GAN takes 8-bit red, green, blue and no radar; its colours go in as blue, green, red."""
    bands = _pixels(data / "triplets" / "0746_s2_cloudy.tif")[[3, 2, 1], :64, :64]
    picture = np.clip(bands / 10_000 * 3.5 * 255, 0, 255).astype(np.uint8)
    scene = tmp_path / "rgb.tif"
    with rasterio.open(
        scene, "w", driver="GTiff", count=3, height=64, width=64, dtype="uint8",
        photometric="RGB", crs="EPSG:32631", transform=rasterio.Affine(10, 0, 0, 0, -10, 0),
    ) as dataset:  # fmt: skip
        dataset.write(picture)
    (checkpoint,) = (golden / "spa_gan" / f"published_{weights}").glob("*.pth")
    result = run(RemoveOptions(s2=scene, model=str(checkpoint), replace="all"), silent)
    after = _pixels(result.output)
    network = load_model(str(checkpoint), "cpu")
    wanted = network.runtime.run({"optical": picture[None, ::-1].astype(np.float32) / 255})["image"]
    assert result.filled_fraction == 1
    assert np.abs(after - np.clip(wanted[0, ::-1] * 255, 0, 255)).max() <= 1


def test_a_picture_without_a_mask_says_what_to_do(data: Path, golden: Path, tmp_path: Path) -> None:
    scene = tmp_path / "rgb.tif"
    with rasterio.open(
        scene, "w", driver="GTiff", count=3, height=64, width=64, dtype="uint8",
        photometric="RGB", crs="EPSG:32631", transform=rasterio.Affine(10, 0, 0, 0, -10, 0),
    ) as dataset:  # fmt: skip
        dataset.write(np.zeros((3, 64, 64), np.uint8))
    (checkpoint,) = (golden / "spa_gan" / "published_RICE1").glob("*.pth")
    with pytest.raises(InputError, match="takes a --mask, or fills every pixel with --replace all"):
        run(RemoveOptions(s2=scene, model=str(checkpoint)), silent)
