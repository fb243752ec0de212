"""What fills the clouds of arrays: the parts of `cloudfree remove`, without files."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from cloudfree.api.array_scene import ArrayRadar, ArrayScene, refused
from cloudfree.commands.remove.cloudy_scene import MaskedScene
from cloudfree.commands.remove.combined_filling import CombinedFilling
from cloudfree.commands.remove.filling import Filling, NetworkFilling, finish
from cloudfree.commands.remove.inputs import predicts_reflectance
from cloudfree.commands.remove.network_trials import weighed
from cloudfree.commands.remove.references.scene_stack import SceneStack
from cloudfree.commands.remove.removal_scene import RemovalScene
from cloudfree.core.choices import FillBy
from cloudfree.core.displacement import NO_SHIFT
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.gapfilling.gap_filler import GapFiller
from cloudfree.inference.compositing import NARROW_FEATHER_PX
from cloudfree.inference.model import Model
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.sliding_window import TilePlan
from cloudfree.inference.uncertainty import Uncertainty
from cloudfree.sentinel2.stand_in_bands import irreplaceable

logger = logging.getLogger("cloudfree")


@dataclass(frozen=True)
class ArrayRemoval:
    """A scene in memory, its radar, the card of the model, and what may fill its clouds."""

    optical: ArrayScene
    scene: MaskedScene
    radar: ArrayRadar | None
    card: ModelCard
    fill_by: FillBy
    progress: Progress

    def check(self) -> None:
        """Refuse bands that the model cannot do without, and a scene that has nothing to fill from.

        Raises
        ------
        InputError
            A band is missing, or there is no mask though the scene is to fill itself.
        """
        if self.fill_by == "scene":
            if self.scene.mask is None:
                raise refused("fill_by='scene' and no mask", "a mask that leaves clear ground")
            return
        needed = (*self.card.optical_bands, *self.card.output_bands)
        if self._combines:
            needed = irreplaceable(self.card.optical_bands, self.optical.bands)
        self.optical.require(needed, f"model {self.card.name}")

    @property
    def _combines(self) -> bool:
        """Whether clear ground has a say beside the model."""
        return (
            self.fill_by == "auto"
            and self.scene.mask is not None
            and not self.scene.hides_nothing
            and predicts_reflectance(self.card, self.optical.bands)
        )

    def by_scene(self, with_deviation: bool) -> Filling:
        """The scene itself."""
        filler = self._fitted()
        if not filler.knows_ground and not self.scene.hides_nothing:
            raise refused("no clear pixel in the scene", "clear ground, or a model to fill clouds")
        return CombinedFilling(self._narrow, filler, None, with_deviation)

    def by_model(
        self, model: Model, plan: TilePlan, batch_size: int, with_deviation: bool
    ) -> Filling:
        """The model alone, or with the scene itself where clear ground tells how both do."""
        filler = self._fitted() if self._combines else None
        if filler is None or not filler.knows_ground:
            self.optical.require(self.card.output_bands, f"model {self.card.name}")
            alone = self._network(self.scene, model, with_deviation)
            return NetworkFilling(alone, plan, batch_size)
        if not filler.leaves_gaps(self.optical.grid.window):
            return CombinedFilling(self._narrow, filler, None, with_deviation)
        network = replace(self._network(self._narrow, model, False), wanted=filler.leaves_gaps)
        filler = weighed(filler, network, plan, self.progress)
        if with_deviation and filler.stacking is None:
            network = replace(network, uncertainty=Uncertainty(model))
        beside = NetworkFilling(network, plan, batch_size)
        return CombinedFilling(self._narrow, filler, beside, with_deviation)

    def filled(self, filling: Filling) -> tuple[Float32, Float32]:
        """The filled array, and the standard deviations in its shape, NaN where there are none."""
        pixels = self.optical.pixels.copy()
        deviation = np.full_like(pixels, np.nan)
        positions = [self.optical.positions[band] for band in filling.bands]
        to_fill = filled = 0
        with filling.rows(self.progress) as rows:
            for one in rows:
                finished = finish(self.scene, filling.bands, *one)
                pixels[:, *finished.window.slices] = finished.pixels
                if finished.deviation is not None:
                    part = deviation[:, *finished.window.slices]
                    part[positions] = finished.deviation
                to_fill += int(finished.to_fill.sum())
                filled += int(finished.filled.sum())
        if filled < to_fill:
            logger.warning(
                "%.1f%% of the clouds have no Sentinel-1 and stay", 100 * (1 - filled / to_fill)
            )
        return pixels, deviation

    @property
    def _narrow(self) -> MaskedScene:
        """The scene with the soft edge that suits what agrees with its clear ground."""
        return replace(self.scene, feather_px=NARROW_FEATHER_PX)

    def _fitted(self) -> GapFiller:
        return GapFiller.fit(SceneStack(self.scene, (), self.radar), self.progress)

    def _network(self, scene: MaskedScene, model: Model, with_deviation: bool) -> RemovalScene:
        return RemovalScene(
            scene.optical,
            scene.mask,
            self.radar if model.card.uses_sar else None,
            model,
            NO_SHIFT,
            Uncertainty(model) if with_deviation else None,
            feather_px=scene.feather_px,
        )
