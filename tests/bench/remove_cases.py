"""What is timed of `remove` on a full scene, and what it cannot do without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cloudfree.core.blending import tile_weight
from cloudfree.core.progress import silent
from cloudfree.core.tile_plan import TilePlan
from cloudfree.core.window import Window, strips
from cloudfree.io.cog import CogWriter
from cloudfree.io.optical import OpticalScene
from cloudfree.io.sar import SarScene
from cloudfree.pipelines import remove
from cloudfree.runtimes.load import load_model
from cloudfree.runtimes.model import Arrays, Model, TileInputs
from cloudfree.runtimes.shelf import DEFAULT_MODEL
from tests.bench.mask_cases import STRIP_ROWS, decode_bands
from tests.bench.scene import cover_mask, full_scene
from tests.runtimes.readiness import OneAtATime


def warm_up() -> None:
    """Load the default model once, as what is loaded first takes longest."""
    load_model(DEFAULT_MODEL, "cpu")


class Cheap(OneAtATime):
    """A network that gives back what it sees: all that it costs is a copy."""

    description = "known"
    batch = 1

    def run(self, inputs: Arrays) -> Arrays:
        """The optical tiles."""
        return {"image": inputs["optical"].copy()}


def cheap_parts(size: int, folder: Path) -> None:
    """What `cheap_remove` cannot do without: decode, forward passes on the same tiles, encode."""
    s2, s1 = full_scene(size)
    decode_bands(s2)
    decode_bands(s1)
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


def adapted_30(size: int, folder: Path) -> None:
    """`cloudfree remove --adapt` with the default model, 30 % of the scene under cloud."""
    _remove(size, folder, mask=cover_mask(size, 0.3), shift="none", adapt=True)


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


CASES = {
    case.__name__: case
    for case in (
        cheap_parts, cheap_remove, remove_all, monai_all, remove_30, remove_10, adapted_30,
        whole_way,
    )
}  # fmt: skip
