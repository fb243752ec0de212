"""References as other dates of a tile, as networks take them that see several at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from cloudfree.commands.remove.references.reference import Reference
from cloudfree.commands.remove.shifted_radar import shifted_radar
from cloudfree.core.dated_names import dated
from cloudfree.core.grid import Window
from cloudfree.inference.date_series import OtherDate, day_number
from cloudfree.inference.model import TileInputs
from cloudfree.inference.model_card import ModelCard
from cloudfree.sentinel1.sar_source import SarSource
from cloudfree.sentinel2.optical_scene import OpticalScene

logger = logging.getLogger("cloudfree")


@dataclass(frozen=True)
class ShownDates:
    """References that a network is shown beside each tile, as they were acquired.

    They are the same for all tiles, in order of time. `bands` are those of the network, and
    `acquired` and `radar_acquired` the days of the scene and of its radar, None if that is unknown.
    """

    references: tuple[Reference, ...]
    bands: tuple[str, ...]
    with_radar: bool
    acquired: date
    radar_acquired: date | None

    def beside(self, tile: TileInputs, window: Window) -> TileInputs:
        """The tile of a window with the references as other dates; its own date stays the first."""
        others = [self._date(one, window) for one in self.references]
        return tile.with_others(self.acquired, others, self.radar_acquired)

    def _date(self, reference: Reference, window: Window) -> OtherDate:
        optical = reference.ground.as_acquired(self.bands, window)
        radar, acquired = reference.radar, reference.acquisition.acquired
        assert acquired is not None  # or else it is not shown
        if radar is None or not self.with_radar:
            return OtherDate(optical, self._days(acquired))
        pixels = shifted_radar(radar.sar, radar.shift, reference.ground.grid, window)
        # Beyond the end of its radar, that of the tile shows more.
        seen = pixels if np.isfinite(pixels).any() else None
        return OtherDate(optical, self._days(acquired, _acquired(radar.sar)), seen)

    def _days(self, acquired: date, radar_acquired: date | None = None) -> float:
        """Days from the tile, of both sensors as networks count them."""
        own = day_number(self.acquired, self.radar_acquired)
        return day_number(acquired, radar_acquired) - own


def shown_dates(
    card: ModelCard, optical: OpticalScene, sar: SarSource | None, references: Sequence[Reference]
) -> ShownDates | None:
    """The references of a scene that a network is shown; None if it takes one date, or none fits.

    A reference needs the bands of the network, and a day; each that lacks them is logged.
    """
    if not card.takes_several_dates:
        return None
    fitting = [one for one in references if _fits(one, card)]
    acquired = dated(optical.acquisition, optical.path).acquired
    if not fitting or acquired is None:
        return None
    in_time = tuple(sorted(fitting, key=lambda one: one.days or 0.0))
    numbers = ", ".join(str(one.number) for one in in_time)
    logger.info("model %s is shown, beside the scene, references %s", card.name, numbers)
    return ShownDates(
        in_time, card.optical_bands, card.uses_sar, acquired,
        _acquired(sar) if sar and card.uses_sar else None,
    )  # fmt: skip


def _fits(reference: Reference, card: ModelCard) -> bool:
    """Whether a network can be shown a reference."""
    missing = [band for band in card.optical_bands if band not in reference.bands]
    if missing:
        reason = f"it has no band {', '.join(missing)}"
    elif reference.days is None:
        reason = "its days from the scene are unknown"
    else:
        return True
    logger.info("reference %d is not shown to model %s: %s", reference.number, card.name, reason)
    return False


def _acquired(sar: SarSource) -> date | None:
    return dated(sar.acquisition, sar.path).acquired
