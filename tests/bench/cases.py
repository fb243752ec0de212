"""What is timed on a full scene, each in a process of its own: `python -m tests.bench.cases NAME`.

Prints the seconds of the work itself; imports and the loading of the model come before.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window as Rectangle

from cloudfree.clouds.classes import bands_to_read
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.blending import tile_weight
from cloudfree.core.progress import silent
from cloudfree.core.tile_plan import TilePlan
from cloudfree.core.window import Window, strips
from cloudfree.io.cog import CogWriter
from cloudfree.io.optical import OpticalScene
from cloudfree.io.sar import SarScene
from cloudfree.pipelines import mask, remove
from cloudfree.runtimes.load import load_model
from cloudfree.runtimes.model import Arrays, Model, TileInputs
from cloudfree.runtimes.shelf import DEFAULT_MODEL
from tests.bench.scene import cover_mask, full_scene

STRIP_ROWS = 512


class Cheap:
    """A network that gives back what it sees: all that it costs is a copy."""

    description = "known"
    batch = 1

    def run(self, inputs: Arrays) -> Arrays:
        """The optical tiles."""
        return {"image": inputs["optical"].copy()}


def make(size: int, folder: Path) -> None:
    """Make the scene and its masks, unless they are there."""
    del folder
    full_scene(size)
    for share in (0.1, 0.3):
        cover_mask(size, share)


def decode(size: int, folder: Path) -> None:
    """Decode the bands of the cloud score once, as GDAL does by itself, and nothing else."""
    del folder
    os.environ["GDAL_NUM_THREADS"] = "1"
    _decode(full_scene(size)[0], [OPTICAL_BANDS.index(b) + 1 for b in bands_to_read(OPTICAL_BANDS)])


def _decode(path: Path, indexes: list[int] | None = None) -> None:
    with rasterio.open(path) as dataset:
        for strip in strips(dataset.height, dataset.width, STRIP_ROWS):
            dataset.read(indexes, window=Rectangle(0, strip.row, strip.width, strip.height))


def mask_without_shadow(size: int, folder: Path) -> None:
    """`cloudfree mask --no-shadow`."""
    options = mask.MaskOptions(scene=full_scene(size)[0], output=folder / "mask.tif", shadow=False)
    mask.run(options, silent)


def mask_with_shadow(size: int, folder: Path) -> None:
    """`cloudfree mask`."""
    options = mask.MaskOptions(scene=full_scene(size)[0], output=folder / "mask.tif")
    mask.run(options, silent)


def cheap_parts(size: int, folder: Path) -> None:
    """What `cheap_remove` cannot do without: decode, forward passes on the same tiles, encode."""
    s2, s1 = full_scene(size)
    _decode(s2)
    _decode(s1)
    model, plan = _cheap_model(), _plan(size)
    tile = TileInputs(
        np.full((13, plan.tile, plan.tile), 0.2, np.float32),
        np.full((2, plan.tile, plan.tile), -12.0, np.float32),
    )
    for _ in plan:
        model.predict([tile])
    with (
        OpticalScene(s2) as scene,
        CogWriter(folder / "copy.tif", scene.grid, scene.profile({}, {})) as out,
    ):
        pixels = scene.native(Window(0, 0, STRIP_ROWS, scene.grid.width))
        for strip in strips(scene.grid.height, scene.grid.width, STRIP_ROWS):
            out.write(strip, pixels[:, : strip.height])


def cheap_remove(size: int, folder: Path) -> None:
    """`cloudfree remove --replace all` with a network that costs nothing."""
    with _instead_of_loading(_cheap_model()):
        _remove(size, folder, replace="all", shift="none")


def remove_all(size: int, folder: Path) -> None:
    """`cloudfree remove` with the default model, every tile cloudy."""
    _remove(size, folder, replace="all", shift="none")


def monai_all(size: int, folder: Path) -> None:
    """MONAI's sliding window over the whole scene as one array: same network, tiles and weights."""
    import torch
    from monai.inferers import sliding_window_inference

    s2, s1 = full_scene(size)
    model, plan = load_model(DEFAULT_MODEL, "cpu"), _plan(size)
    with OpticalScene(s2) as optical, SarScene(s1) as sar:
        window, card = optical.grid.window, model.card
        reflectance = optical.reflectance(card.optical_bands, window)
        seen = [card.optical_scaling.forward(reflectance[None])]
        seen.append(card.sar_scaling.forward(sar.on_grid(optical.grid, window)[None]))
        profile, encode = optical.profile({}, {}), optical.radiometry.encode
    scene = torch.from_numpy(np.concatenate(seen, axis=1))
    bands = len(card.optical_bands)

    def run(tiles: torch.Tensor) -> torch.Tensor:
        arrays = {"optical": tiles[:, :bands].numpy(), "sar": tiles[:, bands:].numpy()}
        return torch.from_numpy(model.runtime.run(arrays)["image"])

    weight = torch.from_numpy(tile_weight(plan.tile, plan.tile, plan.overlap))
    share = plan.overlap / plan.tile
    restored = sliding_window_inference(
        scene, (plan.tile, plan.tile), 1, run, overlap=share, roi_weight_map=weight
    )
    with CogWriter(folder / "monai.tif", optical.grid, profile) as out:
        out.write(window, encode(card.optical_scaling.inverse(restored.numpy())[0]))


def remove_30(size: int, folder: Path) -> None:
    """`cloudfree remove` with the default model, 30 % of the scene under cloud."""
    _remove(size, folder, mask=cover_mask(size, 0.3), shift="none")


def remove_10(size: int, folder: Path) -> None:
    """`cloudfree remove` with the default model, 10 % of the scene under cloud."""
    _remove(size, folder, mask=cover_mask(size, 0.1), shift="none")


def whole_way(size: int, folder: Path) -> None:
    """`cloudfree remove --s1 S1 --s2 S2` with no other option."""
    _remove(size, folder)


def _remove(size: int, folder: Path, **options: object) -> None:
    s2, s1 = full_scene(size)
    output = folder / "cloudfree.tif"
    remove.run(remove.RemoveOptions(s2=s2, s1=s1, output=output, **options), silent)  # type: ignore[arg-type]


def _plan(size: int) -> TilePlan:
    card = _cheap_model().card
    return TilePlan(size, size, card.tile, card.overlap)


def _cheap_model() -> Model:
    return Model(load_model(DEFAULT_MODEL, "cpu").card, Cheap())


@contextmanager
def _instead_of_loading(model: Model) -> Iterator[None]:
    def cheap(*_: object) -> Model:
        return model

    loaded, remove.load_model = remove.load_model, cheap  # type: ignore[attr-defined]
    try:
        yield
    finally:
        remove.load_model = loaded  # type: ignore[attr-defined]


CASES: dict[str, Callable[[int, Path], None]] = {
    case.__name__: case
    for case in (
        make, decode, mask_without_shadow, mask_with_shadow, cheap_parts, cheap_remove, remove_all,
        monai_all, remove_30, remove_10, whole_way,
    )
}  # fmt: skip


WITHOUT_MODEL = {"make", "decode", "mask_without_shadow", "mask_with_shadow"}


def main(arguments: Sequence[str]) -> None:
    """Run one case; print its seconds as JSON."""
    name, size = arguments[0], int(arguments[1])
    if name not in WITHOUT_MODEL:
        load_model(DEFAULT_MODEL, "cpu")
    with tempfile.TemporaryDirectory(prefix="cloudfree-bench-") as folder:
        start = time.perf_counter()
        CASES[name](size, Path(folder))
        print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(sys.argv[1:])
