"""The standard deviation of filled pixels: by the network or an ensemble, calibrated."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

import numpy as np

from cloudfree.core.dihedral import DIHEDRAL_TRANSFORMS, IDENTITY, DihedralTransform
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError
from cloudfree.inference.model import Model, Prediction, TileInputs
from cloudfree.inference.model_card import ModelCard

logger = logging.getLogger("cloudfree")

TERMS = ("floor", "share", "scale")


@dataclass(frozen=True)
class ErrorModel:
    """How large the errors of a model are, band by band of its output.

    Their variance is `floor`**2 + (`share` * reflectance)**2 + `scale`**2 * spread, where the
    spread is the variance that a network or an ensemble predicts: a constant error, an error that
    grows with the brightness of the ground, and the uncertainty of the model. `floor` is in
    reflectance, the others have no unit.
    """

    floor: tuple[float, ...]
    share: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def from_card(cls, entries: Mapping[str, Any]) -> Self:
        """The error model with these entries, lists of one number for each band."""
        return cls(*(tuple(float(one) for one in entries[term]) for term in TERMS))

    @property
    def entries(self) -> dict[str, list[float]]:
        """Lists as a card has them."""
        return {term: list(numbers) for term, numbers in asdict(self).items()}

    def variance(self, image: Float32, spread: Float32) -> Float32:
        """Variance of the errors, (band, ...), of an image with that predicted variance."""
        squared = np.square(np.array([self.floor, self.share, self.scale], dtype=np.float32))
        floor, share, scale = squared.reshape(3, -1, *(1,) * (image.ndim - 1))
        return np.asarray(floor + share * image**2 + scale * spread, dtype=np.float32)


def uncalibrated(bands: int) -> ErrorModel:
    """The predicted variance itself: far too small if an ensemble predicts it."""
    return ErrorModel((0.0,) * bands, (0.0,) * bands, (1.0,) * bands)


Source = Literal["network", "flips"]


class TestTimeAugmentation:
    """Predicts images together with the variance of the prediction.

    It is the variance that the network predicts, or, if it predicts none, that of its predictions
    for all eight flips and rotations of the tile. The mean is the prediction for the tile without
    flip or rotation: the mean of all eight scores no better. Without a required source, `source` is
    known after the first tile.
    """

    def __init__(self, model: Model, required: Source | None = None) -> None:
        self.model, self._required = model, required
        self.source: Source | None = required

    def predict(self, tiles: Sequence[TileInputs]) -> list[Prediction]:
        """Predictions with variances of tiles of one size.

        Raises
        ------
        ModelError
            The variance of the network is required, and it predicts none.
        """
        predictions = self.model.predict_with_variance(tiles)
        has_variance = all(prediction.variance is not None for prediction in predictions)
        if not has_variance and self._required == "network":
            raise _no_variance(self.model)
        if has_variance and self._required != "flips":
            self.source = "network"
            return predictions
        self.source = "flips"
        return self._ensemble(tiles, [prediction.mean for prediction in predictions])

    def _ensemble(self, tiles: Sequence[TileInputs], images: Sequence[Float32]) -> list[Prediction]:
        """`images`, the predictions for the tiles, with the variance over all eight transforms."""
        moments = [_Moments(image) for image in images]
        for transform in DIHEDRAL_TRANSFORMS:
            if transform != IDENTITY:
                predictions = self.model.predict([_transformed(one, transform) for one in tiles])
                for one, prediction in zip(moments, predictions, strict=True):
                    one.add(transform.inverse(prediction))
        return [Prediction(image, one.variance) for image, one in zip(images, moments, strict=True)]


class _Moments:
    """Running mean and variance of images, in the memory of two of them.

    Source: Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products"
    (1962).
    """

    def __init__(self, image: Float32) -> None:
        self._count, self._mean, self._scatter = 1, image, np.zeros_like(image)

    def add(self, image: Float32) -> None:
        self._count += 1
        before = image - self._mean
        self._mean = self._mean + before / np.float32(self._count)
        self._scatter += before * (image - self._mean)

    @property
    def variance(self) -> Float32:
        return self._scatter / np.float32(self._count)


def _transformed(tile: TileInputs, transform: DihedralTransform) -> TileInputs:
    return TileInputs(
        transform.apply(tile.optical),
        None if tile.sar is None else transform.apply(tile.sar),
        None if tile.shadow is None else transform.apply(tile.shadow),
        tuple(other.each(transform.apply) for other in tile.others),
        tile.day,
    )


def _no_variance(model: Model) -> ModelError:
    return ModelError(
        f"no variance from {model.card.network}, by which model {model.card.name} is calibrated",
        wanted="a network that predicts the variance of its image",
        hint="use the checkpoint that the card belongs to, or recalibrate it with "
        "`cloudfree evaluate --uncertainty`",
    )


class Uncertainty:
    """Predicts with a variance, and converts it to the standard deviation of the errors."""

    def __init__(self, model: Model) -> None:
        card = model.card
        source, known = calibration_of(card)
        self.calibrated, self._augmentation = known is not None, TestTimeAugmentation(model, source)
        self._error_model = known or uncalibrated(len(card.output_bands))
        self._entries = card.uncertainty
        if known is None:
            logger.warning(
                "model %s is not calibrated: its standard deviations are most often far too small; "
                "`cloudfree evaluate --uncertainty` prints the calibration for its card",
                card.name,
            )

    def predict(self, tiles: Sequence[TileInputs]) -> list[Prediction]:
        """Predictions with variances of tiles of one size."""
        return self._augmentation.predict(tiles)

    def deviation(self, prediction: Prediction) -> Float32:
        """Standard deviation in reflectance, (band, y, x); NaN where nothing is predicted.

        The variances of overlapping tiles are blended as their images are: the difference between
        the tiles is left out, as it would show the pattern of the tiles. Pixels of the feathered
        edge have the full deviation, as the thin cloud there does not show the ground.
        """
        if prediction.variance is None:
            return np.full_like(prediction.mean, np.nan)
        return np.sqrt(self._error_model.variance(prediction.mean, prediction.variance))

    @property
    def tags(self) -> dict[str, str]:
        """Source and coverage of the standard deviations; complete after the last tile."""
        tags = {"CLOUDFREE_SPREAD": self._augmentation.source or "none: nothing was filled"}
        if not self.calibrated:
            return {**tags, "CLOUDFREE_CALIBRATION": "none: the bare spread"}
        entries = {
            name: value for name, value in self._entries.items() if name not in (*TERMS, "source")
        }
        texts = {
            f"CLOUDFREE_CALIBRATION_{name.upper()}": str(value) for name, value in entries.items()
        }
        return {**tags, "CLOUDFREE_CALIBRATION": "by the card of the model", **texts}


def calibration_of(card: ModelCard) -> tuple[Source | None, ErrorModel | None]:
    """Source of a model's predicted variance and its error model; None if its card has none.

    Raises
    ------
    ModelError
        The entry of the card is incomplete.
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
    found = ErrorModel.from_card(entries)
    for term in TERMS:
        if (count := len(getattr(found, term))) != bands:
            raise ValueError(f"{term} has {count} numbers for {bands} bands")
    for source in get_args(Source):
        if entries["source"] == source:
            return source, found
    raise ValueError(f"source = {entries['source']!r}")
