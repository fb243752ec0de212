"""What fills arrays is chosen as in the command."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cloudfree.api.array_filling import ArrayRemoval
from cloudfree.api.array_scene import ArrayRadar, mask_array, optical_array
from cloudfree.commands.remove.cloudy_scene import MaskedScene
from cloudfree.commands.remove.combined_filling import CombinedFilling
from cloudfree.commands.remove.filling import NetworkFilling
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import FillClass, MaskClass
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError
from cloudfree.inference.model import Arrays, Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.sliding_window import TilePlan
from tests.factories.readiness import OneAtATime

SIDE = 96
CLOUD = (slice(30, 60), slice(30, 60))
PLAN = TilePlan(SIDE, SIDE, 96, 32)
CARD = read_card(find_model(DEFAULT_MODEL))


class Grey(OneAtATime):
    """A network that predicts one reflectance everywhere."""

    description = "grey"
    batch = 1

    def run(self, inputs: Arrays) -> Arrays:
        return {"image": np.full_like(inputs["optical"], 0.7)}


def _removal(cloudy: bool = True, clear: bool = True, **changed: Any) -> ArrayRemoval:
    """Fields whose reflectance radar shows, below a cloud."""
    rng = np.random.default_rng(2)
    ground = np.repeat(np.repeat(rng.uniform(0.05, 0.3, (12, 12)), 8, axis=0), 8, axis=1)
    pixels = np.repeat(ground[None], 13, axis=0).astype(np.float32)
    classes = np.full((SIDE, SIDE), MaskClass.CLEAR if clear else MaskClass.CLOUD)
    if cloudy:
        pixels[:, *CLOUD] = 0.8
        classes[CLOUD] = MaskClass.CLOUD
    radar = ArrayRadar(np.stack([ground * 40 - 20, ground * 40 - 27]).astype(np.float32))
    scene = optical_array(pixels, OPTICAL_BANDS)
    mask = mask_array(classes, (SIDE, SIDE))
    given = {"card": CARD, "fill_by": "auto", "progress": silent, **changed}
    return ArrayRemoval(scene, MaskedScene(scene, mask), radar, **given)


def _by_model(removal: ArrayRemoval) -> NetworkFilling | CombinedFilling:
    filling = removal.by_model(Model(CARD, Grey()), PLAN, 1, False)
    assert isinstance(filling, NetworkFilling | CombinedFilling)
    return filling


def test_a_bad_model_counts_little_beside_clear_ground() -> None:
    removal = _removal()
    filling = _by_model(removal)
    assert isinstance(filling, CombinedFilling)
    assert filling.filler.stacking is not None
    assert filling.filler.stacking.weight < 0.05
    filled, _ = removal.filled(filling)
    assert filled[:, *CLOUD][:, 3:-3, 3:-3].max() < 0.4


@pytest.mark.parametrize(
    "removal",
    [_removal(fill_by="network"), _removal(cloudy=False), _removal(clear=False)],
    ids=["by the network", "no cloud", "no clear ground"],
)
def test_the_model_is_alone_where_nothing_else_is_known_or_wanted(removal: ArrayRemoval) -> None:
    assert isinstance(_by_model(removal), NetworkFilling)


def test_the_scene_itself_fills_all_of_its_bands_and_knows_how_well() -> None:
    removal = _removal(fill_by="scene")
    filled, deviation = removal.filled(removal.by_scene(True))
    assert np.isfinite(deviation[:, *CLOUD]).all()
    assert np.isnan(deviation).sum() == 13 * (SIDE**2 - 30**2)
    assert filled[:, *CLOUD][:, 1:-1, 1:-1].max() < 0.4
    with removal.by_scene(False).rows(silent) as rows:
        classes = np.concatenate([np.asarray(fill.by) for _, fill, _ in rows])
    assert (classes[CLOUD] == FillClass.FILLED_BY_SCENE).all()


def test_without_clear_ground_the_scene_cannot_fill_itself() -> None:
    with pytest.raises(InputError, match="no clear pixel in the scene; wanted clear ground, or a"):
        _removal(clear=False, fill_by="scene").by_scene(False)
