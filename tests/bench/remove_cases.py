"""What is timed of `remove` on a full scene, and what it cannot do without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from cloudfree.commands.remove import run as remove
from cloudfree.core.grid import Window, strips
from cloudfree.core.terminal import silent
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.load import find_card, load_model
from cloudfree.inference.model import Arrays, Model, TileInputs
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.sliding_window import TilePlan, tile_weight
from cloudfree.inference.torch_runtime import TorchRuntime
from cloudfree.raster.cog import CogWriter
from cloudfree.sentinel1.geocoded import SarScene
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.bench.mask_cases import STRIP_ROWS, decode_bands
from tests.bench.scene import cover_mask, earlier_scenes, full_scene
from tests.factories.readiness import OneAtATime


def warm_up() -> None:
    """Load the default model once, as what is loaded first takes longest."""
    load_model(DEFAULT_MODEL, "cpu")


class Costless(OneAtATime):
    """A network that gives back what it sees: all that it costs is a copy."""

    description = "known"
    batch = 1

    def run(self, inputs: Arrays) -> Arrays:
        """The optical tiles."""
        return {"image": inputs["optical"].copy()}


class Mean(nn.Module):
    """A network that gives each pixel the mean of 3 x 3: one convolution, as cheap as they come."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Conv2d(13, 13, 3, padding=1, bias=False)
        self.mean.weight.data = torch.eye(13)[:, :, None, None].expand(13, 13, 3, 3) / 9

    def forward(self, optical: Tensor, sar: Tensor, shadow: Tensor) -> dict[str, Tensor]:
        """The mean of the optical tiles."""
        del sar, shadow
        return {"image": self.mean(optical)}


def costless_parts(size: int, folder: Path) -> None:
    """What `costless_remove` cannot do without."""
    _parts(size, folder, _costless())


def costless_remove(size: int, folder: Path) -> None:
    """`cloudfree remove --replace all` with a network that costs nothing."""
    _remove_with(_costless(), size, folder)


def cheap_parts(size: int, folder: Path) -> None:
    """What `cheap_remove` cannot do without."""
    _parts(size, folder, _cheap())


def default_parts(size: int, folder: Path) -> None:
    """What `remove_all` cannot do without."""
    _parts(size, folder, load_model(DEFAULT_MODEL, "cpu"))


def _parts(size: int, folder: Path, model: Model) -> None:
    """Decode, bare forward passes on the same tiles one after the other, encode."""
    s2, s1 = full_scene(size)
    decode_bands(s2)
    decode_bands(s1)
    plan = _plan(size)
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
    """`cloudfree remove --replace all` with a known network of one convolution."""
    _remove_with(_cheap(), size, folder)


def remove_all(size: int, folder: Path) -> None:
    """`cloudfree remove` with the default model, every tile cloudy."""
    _remove(size, folder, replace="all", shift="none")


def monai_all(size: int, folder: Path) -> None:
    """MONAI's sliding window over the whole scene as one array: same network, tiles and weights."""
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
        arrays["shadow"] = np.zeros_like(arrays["sar"][:, :1])
        return torch.from_numpy(model.runtime.run(arrays)["image"])

    weight = torch.from_numpy(tile_weight(plan.tile, plan.tile, plan.overlap))
    share = plan.overlap / plan.tile
    filled = sliding_window_inference(
        scene, (plan.tile, plan.tile), 1, run, overlap=share, roi_weight_map=weight
    )
    with CogWriter(folder / "monai.tif", optical.grid, profile) as out:
        out.write(window, encode(card.optical_scaling.inverse(filled.numpy())[0]))


def remove_30(size: int, folder: Path) -> None:
    """`cloudfree remove` with the default model, 30 % of the scene under cloud."""
    _remove(size, folder, mask=cover_mask(size, 0.3), shift="none")


def remove_30_by_network(size: int, folder: Path) -> None:
    """The same by the model alone, which is not tried on clear ground."""
    _remove(size, folder, mask=cover_mask(size, 0.3), shift="none", fill_by="network")


def remove_10(size: int, folder: Path) -> None:
    """`cloudfree remove` with the default model, 10 % of the scene under cloud."""
    _remove(size, folder, mask=cover_mask(size, 0.1), shift="none")


def make_earlier(size: int, folder: Path) -> None:
    """The other dates, which are made once and kept."""
    del folder
    earlier_scenes(size, 4)


def remove_30_by_three(size: int, folder: Path) -> None:
    """A scene that is 30 % cloud, with three other dates, whose masks are made."""
    references = tuple(earlier_scenes(size, 3))
    _remove(size, folder, mask=cover_mask(size, 0.3), references=references)


def remove_30_by_four(size: int, folder: Path) -> None:
    """A scene that is 30 % cloud, with four other dates."""
    references = tuple(earlier_scenes(size, 4))
    _remove(size, folder, mask=cover_mask(size, 0.3), references=references)


def glf_cr_all(size: int, folder: Path) -> None:
    """`cloudfree remove` with GLF-CR, every tile cloudy."""
    _remove(size, folder, model=glf_cr_checkpoint(folder), replace="all", shift="none")


def glf_cr_30(size: int, folder: Path) -> None:
    """`cloudfree remove` with GLF-CR, 30 % of the scene under cloud."""
    _remove(size, folder, model=glf_cr_checkpoint(folder), mask=cover_mask(size, 0.3), shift="none")


def glf_cr_10(size: int, folder: Path) -> None:
    """`cloudfree remove` with GLF-CR, 10 % of the scene under cloud."""
    _remove(size, folder, model=glf_cr_checkpoint(folder), mask=cover_mask(size, 0.1), shift="none")


def adapted_30(size: int, folder: Path) -> None:
    """`cloudfree remove --adapt` with the default model, 30 % of the scene under cloud."""
    _remove(size, folder, mask=cover_mask(size, 0.3), shift="none", adapt=True)


def whole_way(size: int, folder: Path) -> None:
    """`cloudfree remove --s1 S1 --s2 S2` with no other option."""
    _remove(size, folder)


def _remove(size: int, folder: Path, **options: object) -> None:
    s2, s1 = full_scene(size)
    output = folder / "cloudfree.tif"
    remove.run(remove.RemoveOptions(s2=s2, s1=(s1,), output=output, **options), silent)  # type: ignore[arg-type]


def glf_cr_checkpoint(folder: Path) -> str:
    """A checkpoint of the full-size network, which has learned nothing."""
    path = folder / "glf_cr.safetensors"
    save_file(build_network("glf_cr", {}).state_dict(), path)
    return str(path)


def _plan(size: int) -> TilePlan:
    card = _card()
    return TilePlan(size, size, card.tile, card.overlap)


def _card() -> ModelCard:
    return find_card(DEFAULT_MODEL).card


def _costless() -> Model:
    return Model(_card(), Costless())


def _cheap() -> Model:
    runtime = TorchRuntime(Mean(), _card().inputs, torch.device("cpu"), torch.float32)
    return Model(_card(), runtime)


def _remove_with(model: Model, size: int, folder: Path) -> None:
    with instead_of_loading(model):
        _remove(size, folder, replace="all", shift="none")


@contextmanager
def instead_of_loading(model: Model) -> Iterator[None]:
    """`remove` takes this model, whichever is asked for."""

    def given(*_: object) -> Model:
        return model

    loaded, remove.load_model = remove.load_model, given  # type: ignore[attr-defined]
    try:
        yield
    finally:
        remove.load_model = loaded  # type: ignore[attr-defined]


CASES = {
    case.__name__: case
    for case in (
        costless_parts, costless_remove, cheap_parts, cheap_remove, default_parts, remove_all,
        monai_all, remove_30, remove_30_by_network, remove_10, remove_30_by_three,
        remove_30_by_four,
        make_earlier, glf_cr_all, glf_cr_30, glf_cr_10, adapted_30, whole_way,
    )
}  # fmt: skip
