"""How the losses went, step by step: a table, and TensorBoard where it is installed."""

from __future__ import annotations

import csv
import importlib
import logging
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cloudfree.training.step import StepResult

logger = logging.getLogger("cloudfree")

TABLE, BOARD = "losses.csv", "tensorboard"
COLUMNS = ("step", "epoch", "loss", "opponent_loss", "learning_rate", "gradient", "seconds")


class Journal:
    """Writes a row for each step; a run that resumes takes back those after its checkpoint."""

    def __init__(self, folder: Path, step: int) -> None:
        path = folder / TABLE
        rows = _rows_before(path, step)
        self._file = path.open("w", encoding="utf-8", newline="")
        self._table = csv.writer(self._file, lineterminator="\n")
        self._table.writerows([list(COLUMNS), *rows])
        self._board = _board(folder / BOARD, step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()

    def write(self, step: int, epoch: float, seconds: float, result: StepResult) -> None:
        """Add the row of a step, 1 for the first."""
        values = {"step": step, "epoch": round(epoch, 4), **vars(result)}
        values["seconds"] = round(seconds, 3)
        # A loss without opponent has no number there: an empty field.
        self._table.writerow(["" if (v := values[c]) != v else v for c in COLUMNS])
        self._file.flush()
        if self._board is not None:
            for name in ("loss", "opponent_loss", "learning_rate", "gradient"):
                if values[name] == values[name]:
                    self._board.add_scalar(name, values[name], step)


def _rows_before(path: Path, step: int) -> list[list[str]]:
    """The rows up to a step; the last one may be cut where a run was killed."""
    if not path.exists() or step == 0:
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in list(csv.reader(file))[1:] if len(row) == len(COLUMNS)]
    return [row for row in rows if int(row[0]) <= step]


def _board(folder: Path, step: int) -> Any:
    """The writer of TensorBoard, or None where it is not installed."""
    try:
        module = importlib.import_module("torch.utils.tensorboard")
    except ImportError:
        logger.info("no TensorBoard: pip install tensorboard to have curves beside %s", TABLE)
        return None
    return module.SummaryWriter(str(folder), purge_step=step)
