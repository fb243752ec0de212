"""How sure a model is: the variance that its network tells, or that of an ensemble of turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from cloudfree.core.dihedral import DIHEDRAL_TRANSFORMS, IDENTITY, DihedralTransform
from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError
from cloudfree.inference.model import Model, TileInputs

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
                    one.add(turn.undone(prediction))
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
        turn.of(tile.optical),
        None if tile.sar is None else turn.of(tile.sar),
        None if tile.shadow is None else turn.of(tile.shadow),
    )


def _no_variance(model: Model) -> ModelError:
    return ModelError(
        f"no variance from {model.card.network}, by which model {model.card.name} is calibrated",
        wanted="a network that tells the variance of its image",
        hint="use the checkpoint that the card belongs to, or calibrate it anew with "
        "`cloudfree evaluate --uncertainty`",
    )
