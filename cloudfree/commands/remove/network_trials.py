"""How well a network fills this very scene: its clear ground under drawn clouds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.grid import Window
from cloudfree.core.mask_classes import in_shadow, is_cloud_or_shadow
from cloudfree.core.terminal import Progress
from cloudfree.gapfilling.gap_filler import GapFiller
from cloudfree.gapfilling.observation import Where
from cloudfree.gapfilling.stacking import NetworkTrial, fit_stacking
from cloudfree.inference.model import TileInputs
from cloudfree.inference.sliding_window import TilePlan
from cloudfree.simulation.add_clouds import cloud_over

# Each round hides parts of some tiles from the scene and from the network; a small scene has one
# tile, which is hidden in every round.
ROUNDS, TILES_A_ROUND = 4, 4
SEED = 2026
# Tiles that are looked at for clear ground.
LOOKED_AT = 64
# Share of a tile that is drawn under cloud, and the pixels that must be clear below it.
COVER, LEAST_PX = 0.35, 300


@dataclass(frozen=True)
class CoveredTile:
    """A tile under drawn clouds, the inputs of the network, and the clear ground it hides."""

    window: Window
    inputs: TileInputs
    gap: Where


def network_trials(
    scene: RemovalScene, filler: GapFiller, plan: TilePlan, progress: Progress
) -> list[NetworkTrial]:
    """What the scene by itself and the network say of clear ground that is hidden from both."""
    rng = np.random.default_rng(SEED)
    tiles = _clear_tiles(scene, plan, rng)
    rounds = [_round(tiles, number) for number in range(ROUNDS if tiles else 0)]
    return [
        trial
        for chosen in progress(rounds, len(rounds), "weighing the network")
        for trial in _tried(scene, filler, [*_covered(scene, chosen, rng)])
    ]


def weighed(
    filler: GapFiller, scene: RemovalScene, plan: TilePlan, progress: Progress
) -> GapFiller:
    """The filler with the network as far as it helps on the clear ground of the scene."""
    return replace(filler, stacking=fit_stacking(network_trials(scene, filler, plan, progress)))


def _round(tiles: Sequence[Window], number: int) -> Sequence[Window]:
    """The tiles of a round: others in each, as long as there are."""
    share = tiles[number::ROUNDS] or tiles
    return share[:TILES_A_ROUND]


def _clear_tiles(scene: RemovalScene, plan: TilePlan, rng: np.random.Generator) -> list[Window]:
    """Tiles in random order that have clear ground."""
    tiles = [*plan]
    looked_at = rng.permutation(len(tiles))[:LOOKED_AT]
    found = [tiles[int(number)] for number in looked_at]
    return [tile for tile in found if (~scene.to_fill(tile)).sum() > LEAST_PX]


def _covered(
    scene: RemovalScene, tiles: Sequence[Window], rng: np.random.Generator
) -> Iterator[CoveredTile]:
    bands = scene.model.card.optical_bands
    for tile in tiles:
        inputs = scene.load(tile)
        cloudy, mask = cloud_over(inputs.optical, bands, rng, kind="cumulus", cover=COVER)
        gap = is_cloud_or_shadow(mask) & ~scene.to_fill(tile)
        if gap.sum() < LEAST_PX:
            continue
        shadow = in_shadow(mask) if inputs.shadow is None else inputs.shadow | in_shadow(mask)
        yield CoveredTile(tile, replace(inputs, optical=cloudy, shadow=shadow), gap)


def _tried(
    scene: RemovalScene, filler: GapFiller, covered: Sequence[CoveredTile]
) -> Iterator[NetworkTrial]:
    places = [scene.model.card.output_bands.index(band) for band in filler.stack.bands]
    hidden = filler.hide([(one.window, one.gap) for one in covered])
    for one, ground in zip(covered, hidden, strict=True):
        (image,) = scene.model.predict([one.inputs])
        yield NetworkTrial(ground.shown, image[places][:, ground.where].T, ground.truth)
