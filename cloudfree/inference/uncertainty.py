"""The standard deviation of filled pixels: by the network or an ensemble, calibrated."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.dihedral import DIHEDRAL_TRANSFORMS, IDENTITY, DihedralTransform
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError
from cloudfree.inference.model import Model, TileInputs
from cloudfree.inference.model_card import ModelCard

logger = logging.getLogger("cloudfree")

TERMS = ("floor", "share", "scale")


@dataclass(frozen=True)
class ErrorModel:
    """How large the errors of a model are, band by band of its output.

    Their variance is `floor`**2 + (`share` * reflectance)**2 + `scale`**2 * spread, where the
    spread is the variance that a network or an ensemble tells: errors that are always there, such
    as grow with the brightness of the ground, and such as the model has doubts about. `floor` is
    in reflectance, the others have no unit.
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
        """Variance of the errors, (band, ...), by the image and the variance of its predictions."""
        squared = np.square(np.array([self.floor, self.share, self.scale], dtype=np.float32))
        floor, share, scale = squared.reshape(3, -1, *(1,) * (image.ndim - 1))
        return np.asarray(floor + share * image**2 + scale * spread, dtype=np.float32)


def uncalibrated(bands: int) -> ErrorModel:
    """The spread as it is: by far too small where an ensemble tells it."""
    return ErrorModel((0.0,) * bands, (0.0,) * bands, (1.0,) * bands)


Source = Literal["network", "flips"]


class TestTimeAugmentation:
    """Predicts images together with the variance of what a model might have predicted.

    It is the variance that the network tells, or, where it tells none, that of its predictions for
    the tile flipped and turned in all eight ways, turned back. The image is that of the tile as it
    lies: the mean of all eight scores no better. `wanted` chooses one of the two; else `source` is
    known after the first tile.
    """

    def __init__(self, model: Model, wanted: Source | None = None) -> None:
        self.model, self._wanted = model, wanted
        self.source: Source | None = wanted

    def predict(self, tiles: Sequence[TileInputs]) -> list[Float32]:
        """Images and behind them their variances, (2 * band, y, x), of tiles of one size.

        Raises
        ------
        ModelError
            The network was to tell a variance and tells none.
        """
        images, variances = self.model.predict_with_variance(tiles)
        if variances is None and self._wanted == "network":
            raise _no_variance(self.model)
        if variances is None or self._wanted == "flips":
            self.source, variances = "flips", self._of_turns(tiles, images)
        else:
            self.source = "network"
        return [np.concatenate(pair) for pair in zip(images, variances, strict=True)]

    def _of_turns(self, tiles: Sequence[TileInputs], images: Sequence[Float32]) -> list[Float32]:
        """Variance of the predictions of each tile in all turns; `images` are those as it lies."""
        moments = [_Moments(image) for image in images]
        for turn in DIHEDRAL_TRANSFORMS:
            if turn != IDENTITY:
                predictions = self.model.predict([_turned(tile, turn) for tile in tiles])
                for one, prediction in zip(moments, predictions, strict=True):
                    one.add(turn.inverse(prediction))
        return [one.variance for one in moments]


class _Moments:
    """Mean and variance of images that come one by one: two are kept, however many come.

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


def _turned(tile: TileInputs, turn: DihedralTransform) -> TileInputs:
    return TileInputs(
        turn.apply(tile.optical),
        None if tile.sar is None else turn.apply(tile.sar),
        None if tile.shadow is None else turn.apply(tile.shadow),
    )


def _no_variance(model: Model) -> ModelError:
    return ModelError(
        f"no variance from {model.card.network}, by which model {model.card.name} is calibrated",
        wanted="a network that tells the variance of its image",
        hint="use the checkpoint that the card belongs to, or calibrate it anew with "
        "`cloudfree evaluate --uncertainty`",
    )


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
    found = ErrorModel.from_card(entries)
    for term in TERMS:
        if (count := len(getattr(found, term))) != bands:
            raise ValueError(f"{term} has {count} numbers for {bands} bands")
    for source in get_args(Source):
        if entries["source"] == source:
            return source, found
    raise ValueError(f"source = {entries['source']!r}")
