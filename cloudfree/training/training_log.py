"""How a run went: tables of losses and validations, TensorBoard, sample images."""

from __future__ import annotations

import csv
import importlib
import io
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from cloudfree.core.output_set import write_whole
from cloudfree.core.radiometry import Float32
from cloudfree.inference.model_card import ModelCard
from cloudfree.metrics.bootstrap import METRICS
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.raster.encoded_picture import png
from cloudfree.report.pictures import TRUE_COLOUR, UInt8Image, radar_colours, stretch_of
from cloudfree.training import sampler as patches
from cloudfree.training.step import StepResult

logger = logging.getLogger("cloudfree")

LOSSES, VALIDATION, BOARD = "losses.csv", "validation.csv", "tensorboard"
CURVES = ("loss", "discriminator_loss", "learning_rate", "gradient")
LOSS_COLUMNS = ("step", "epoch", *CURVES, "seconds")
VALIDATION_COLUMNS = ("step", "epoch", *METRICS)


class TrainingLog:
    """Writes a row for each step and for each validation, and the curves of both.

    A run that resumes after `step` takes back the rows behind it. Without validations there is no
    table of them.
    """

    def __init__(self, folder: Path, step: int, validates: bool = False) -> None:
        self._losses = _Table(folder / LOSSES, LOSS_COLUMNS, step)
        self._validation = (
            _Table(folder / VALIDATION, VALIDATION_COLUMNS, step) if validates else None
        )
        self._board = _board(folder / BOARD, step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for table in (self._losses, self._validation, self._board):
            if table is not None:
                table.close()

    def write(self, step: int, epoch: float, seconds: float, result: StepResult) -> None:
        """Add the row of a step, 1 for the first."""
        values = {"step": step, "epoch": round(epoch, 4), **vars(result)}
        values["seconds"] = round(seconds, 3)
        self._losses.write(values)
        self._draw(values, CURVES)

    def write_validation(self, step: int, epoch: float, figures: Metrics) -> None:
        """Add the figures of the patches held out, after a step."""
        assert self._validation is not None
        values = {"step": step, "epoch": round(epoch, 4), **vars(figures)}
        self._validation.write(values)
        self._draw(values, METRICS, "validation/")

    def _draw(self, values: Mapping[str, Any], names: Sequence[str], folder: str = "") -> None:
        if self._board is None:
            return
        for name in names:
            if _is_number(values[name]):
                self._board.add_scalar(folder + name, values[name], values["step"])


class _Table:
    """A CSV file that begins with the rows of an earlier run up to a step."""

    def __init__(self, path: Path, columns: Sequence[str], step: int) -> None:
        rows = _rows_before(path, len(columns), step)
        self._columns = columns
        begun = io.StringIO()
        csv.writer(begun, lineterminator="\n").writerows([list(columns), *rows])
        write_whole(path, begun.getvalue())  # who is killed here keeps the rows
        self._file = path.open("a", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")

    def write(self, values: Mapping[str, Any]) -> None:
        """Add a row; what is no number, as the loss of no discriminator, is an empty field."""
        self._writer.writerow([v if _is_number(v := values[c]) else "" for c in self._columns])
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _is_number(value: float | None) -> bool:
    return value is not None and not math.isnan(value)


def _rows_before(path: Path, columns: int, step: int) -> list[list[str]]:
    """The rows up to a step; the last one may be cut where a run was killed."""
    if not path.exists() or step == 0:
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in list(csv.reader(file))[1:] if len(row) == columns]
    return [row for row in rows if int(row[0]) <= step]


def _board(folder: Path, step: int) -> Any:
    """The writer of TensorBoard, or None where it is not installed."""
    try:
        module = importlib.import_module("torch.utils.tensorboard")
    except ImportError:
        logger.info("no TensorBoard: pip install tensorboard to have curves beside %s", LOSSES)
        return None
    return module.SummaryWriter(str(folder), purge_step=step)


FOLDER = "samples"
GAP_PX = 4


def write_samples(
    folder: Path,
    step: int,
    shown: Sequence[tuple[patches.PatchArrays, Float32]],
    card: ModelCard,
) -> Path:
    """One picture, a row for each patch with its prediction."""
    (folder / FOLDER).mkdir(exist_ok=True)
    path = folder / FOLDER / f"step-{step:06d}.png"
    rows = [_row(pixels, filled, card) for pixels, filled in shown]
    write_whole(path, png(_joined(rows, axis=0)))
    return path


def _row(pixels: patches.PatchArrays, filled: Float32, card: ModelCard) -> UInt8Image:
    """All optical images of a row share one stretch, that of the target."""
    seen, made = (_visible(bands) for bands in (card.optical_bands, card.output_bands))
    stretch = stretch_of(pixels.clear[seen])
    radar = [] if pixels.sar is None else [radar_colours(pixels.sar)]
    images = [
        stretch.colours(pixels.cloudy[seen]),
        *radar,
        stretch.colours(filled[made]),
        stretch.colours(pixels.clear[seen]),
    ]
    return _joined(images, axis=1)


def _visible(bands: Sequence[str]) -> list[int]:
    """Where red, green and blue stand, or three times the first band."""
    if set(TRUE_COLOUR) <= set(bands):
        return [list(bands).index(band) for band in TRUE_COLOUR]
    return [0, 0, 0]


def _joined(images: Sequence[UInt8Image], axis: int) -> UInt8Image:
    """Pictures side by side or one below the other, with gaps."""
    shape = list(images[0].shape)
    shape[axis] = GAP_PX
    gap = np.zeros(shape, dtype=np.uint8)
    parts = [part for image in images for part in (gap, image)][1:]
    return np.concatenate(parts, axis=axis)
