"""The standard deviation of what a model restores, by its spread and its card."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError
from cloudfree.inference.error_model import TERMS, ErrorModel, uncalibrated
from cloudfree.inference.model import Model, TileInputs
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.test_time_augmentation import Source, TestTimeAugmentation

logger = logging.getLogger("cloudfree")


class Uncertainty:
    """Predicts with a variance, and makes of it the standard deviation of the errors."""

    def __init__(self, model: Model) -> None:
        card = model.card
        source, known = calibration_of(card)
        self.calibrated, self._spread = known is not None, TestTimeAugmentation(model, source)
        self._error_model = known or uncalibrated(len(card.output_bands))
        self._entries = card.uncertainty
        if known is None:
            logger.warning(
                "model %s is not calibrated: its deviations are bare spread, most often far too "
                "small; `cloudfree evaluate --uncertainty` prints what its card should say",
                card.name,
            )

    def predict(self, tiles: Sequence[TileInputs]) -> list[Float32]:
        """Images and behind them their variances, (2 * band, y, x), of tiles of one size."""
        return self._spread.predict(tiles)

    def deviation(self, prediction: Float32, restored: NDArray[np.bool_]) -> Float32:
        """Standard deviation in reflectance, (band, y, x); NaN where nothing was restored.

        `prediction` holds images and behind them their variances, blended as images are: what two
        tiles differ by would draw the pattern of the tiles. In the soft edge the whole deviation
        counts, as the thin cloud there is no observation of the ground.
        """
        image, spread = np.split(prediction, 2)
        deviation = np.sqrt(self._error_model.variance(image, spread))
        deviation[:, ~restored] = np.nan
        return deviation

    @property
    def tags(self) -> dict[str, str]:
        """Where the deviations come from, and how often they held; complete after the last tile."""
        tags = {"CLOUDFREE_SPREAD": self._spread.source or "none: nothing was restored"}
        if not self.calibrated:
            return {**tags, "CLOUDFREE_CALIBRATION": "none: the bare spread"}
        told = {
            name: value for name, value in self._entries.items() if name not in (*TERMS, "source")
        }
        texts = {
            f"CLOUDFREE_CALIBRATION_{name.upper()}": str(value) for name, value in told.items()
        }
        return {**tags, "CLOUDFREE_CALIBRATION": "by the card of the model", **texts}


def calibration_of(card: ModelCard) -> tuple[Source | None, ErrorModel | None]:
    """What the spread of a model is and how large its errors are, if its card knows.

    Raises
    ------
    ModelError
        The entry of the card is not complete.
    """
    if not card.uncertainty:
        return None, None
    try:
        return _read(card.uncertainty, len(card.output_bands))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"[uncertainty] of model {card.name} ({type(error).__name__}: {error})",
            wanted=f"source, and {', '.join(TERMS)} with a number for each output band",
            hint="print the entry with `cloudfree evaluate --uncertainty`",
        ) from error


def _read(entries: Any, bands: int) -> tuple[Source, ErrorModel]:
    found = ErrorModel.of(entries)
    for term in TERMS:
        if (count := len(getattr(found, term))) != bands:
            raise ValueError(f"{term} has {count} numbers for {bands} bands")
    for source in get_args(Source):
        if entries["source"] == source:
            return source, found
    raise ValueError(f"source = {entries['source']!r}")
