"""Whether models are tested on places that they were trained on, as far as their runs say."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from cloudfree.datasets.patch import Sample
from cloudfree.datasets.split_choice import part_of
from cloudfree.datasets.split_file import SPLIT_FILE, SplitList, read_split
from cloudfree.inference.model_store import CARD

logger = logging.getLogger("cloudfree")


def warn_of_seen_places(models: Sequence[str], samples: Sequence[Sample]) -> None:
    """Warn of each run of `train` whose split file has places of the samples in its training."""
    for model in models:
        split = _split_of(Path(model))
        if split is None:
            continue
        seen = {one.place for one in samples if part_of(one, split.part_of) == "train"}
        if seen:
            logger.warning(
                "%s was trained on %d of the %d places that it is scored on, such as %s: its "
                "figures are too good",
                model, len(seen), len({one.place for one in samples}), min(seen),
            )  # fmt: skip


def _split_of(run: Path) -> SplitList | None:
    """The split that a run was trained with; None if it is no run, or used the official one."""
    for folder in (run, run.parent):  # the best model of a run lies in a folder of it
        if (run / CARD).is_file() and (folder / SPLIT_FILE).is_file():
            found = read_split(str(folder / SPLIT_FILE))
            return found if isinstance(found, SplitList) else None
    return None
