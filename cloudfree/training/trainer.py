"""The steps of a training, its validation, and what is written meanwhile."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress, muted_log
from cloudfree.datasets.scene_library import SceneLibrary
from cloudfree.inference.model_card import ModelCard
from cloudfree.metrics.bootstrap import mean_metrics
from cloudfree.metrics.image_metrics import Metrics, score
from cloudfree.metrics.protocol import NATIVE
from cloudfree.parallel.threads import prefetch
from cloudfree.training.run_folder import (
    BEST,
    CHECKPOINT,
    BestModel,
    best_model,
    keep_best,
    write_model,
)
from cloudfree.training.sampler import Batches, PatchArrays, PatchStore, collate, scaled_crop
from cloudfree.training.scene_samples import SceneBatches
from cloudfree.training.step import TrainPlan, outputs_of, train_step
from cloudfree.training.train_state import TrainState
from cloudfree.training.training_log import TrainingLog, write_samples


def predict(run: TrainState, plan: TrainPlan, card: ModelCard, pixels: PatchArrays) -> Float32:
    """Predicted reflectance of the bands of the card, (band, y, x); no side more than a crop."""
    batch = collate([scaled_crop(pixels, card, "")]).to(plan.processes.device)
    network = run.result
    learning = network.training
    network.eval()
    with torch.inference_mode():
        image = outputs_of(network, plan, batch)["image"]
    network.train(learning)
    predicted = image[0, : len(card.output_bands)].float().cpu().numpy()
    return card.output_scaling.inverse(np.asarray(predicted))


def middle(pixels: PatchArrays, side: int) -> PatchArrays:
    """The square of `side` pixels in the middle."""
    row, col = ((length - side) // 2 for length in pixels.size)
    return pixels.part(row, col, side)


# Patches of a validation, spread over those there are: enough to see a run go astray, few enough
# to look after every epoch.
VALIDATED = 64


@dataclass(frozen=True)
class Validation:
    """The validation patches; of each the square in its middle that has the size of a crop."""

    store: PatchStore

    def figures(self, run: TrainState, plan: TrainPlan, card: ModelCard) -> Metrics:
        """Means over the patches of the figures of the raw prediction, in the native protocol."""
        places = [card.optical_bands.index(band) for band in card.output_bands]

        def figures_of(pixels: PatchArrays) -> Metrics:
            seen = middle(pixels, plan.settings.crop)
            predicted = NATIVE.prediction(predict(run, plan, card, seen))
            return score(NATIVE.observed(seen.clear[places]), predicted)

        there = (self.store.get(index) for index in range(len(self.store.samples)))
        return mean_metrics([figures_of(pixels) for pixels in there if pixels]).figures


PICTURED = 4
# Pictures after each epoch, but of a small data set not after every few steps.
LEAST_PICTURE_STEPS = 100
# The share of a stage over which its first and its last loss are averaged.
ENDS = 0.1


@dataclass(frozen=True)
class TrainResult:
    """What was trained, and how it went; losses are means over a tenth of the last stage.

    `validation` has the last figures of the patches held out and `best` the best ones, None where
    there were none.
    """

    output: Path
    network: str
    patches: int
    steps: int
    first_loss: float
    last_loss: float
    seconds: float
    skipped: tuple[str, ...]
    validation: Metrics | None = None
    best: BestModel | None = None

    def summary(self) -> str:
        """A few lines for people."""
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        return (
            f"{self.output}\n  {self.network}, {self.steps} steps on {self.patches} patches"
            f"{skipped}, {self.seconds:.0f} s\n"
            f"  loss {self.first_loss:.4g} at first, {self.last_loss:.4g} at last"
            f"{self._validated()}"
        )

    def _validated(self) -> str:
        found = self.validation
        if found is None or found.psnr is None or found.mae is None:
            return ""
        best = self.best
        kept = f"; best {best.psnr:.2f} dB, step {best.step}, in {BEST}" if best else ""
        return f"\n  held out: PSNR {found.psnr:.2f} dB, MAE {found.mae:.4f}{kept}"


@dataclass(frozen=True)
class Trainer:
    """One call of the command: the run, its data, and the folder that it is written to.

    With a `library` the batches are drawn from it, else they are crops of the patches in `store`.
    """

    folder: Path
    run: TrainState
    plan: TrainPlan
    card: ModelCard
    store: PatchStore
    num_workers: int
    validation: Validation | None = None
    library: SceneLibrary | None = None

    def train(self, progress: Progress, begin: Callable[[], None]) -> TrainResult:
        """All steps that are left.

        `begin` is called once the first batch is read, before anything is written: data that cannot
        be used leave the folder as it was.
        """
        run, plan, processes = self.run, self.plan, self.plan.processes
        batches = self._batches()
        left = range(run.step, plan.steps)
        with ExitStack() as stack:
            stack.callback(batches.close)
            validated: Metrics | None = None
            begun = time.monotonic() - run.seconds
            with muted_log():
                first = [(step, batches.batch_of_step(step)) for step in left[:1]]
            begin()
            training_log = stack.enter_context(self._training_log()) if processes.is_first else None
            stack.enter_context(muted_log())
            ready = stack.enter_context(prefetch(batches.batch_of_step, left[1:]))
            for _, batch in progress(chain(first, ready), len(left), "steps"):
                result = train_step(run, plan, batch)
                run.seconds = time.monotonic() - begun
                if training_log:
                    epoch = run.step / plan.steps_per_epoch
                    training_log.write(run.step, epoch, run.seconds, result)
                    self._save()
                    if self._looks:
                        validated = self._look(training_log, epoch)
        return self._result(
            processes.gather(s.name for s in self.store.skipped.values()), validated
        )

    def _batches(self) -> Batches | SceneBatches:
        settings, processes = self.plan.settings, self.plan.processes
        if self.library is not None:
            return SceneBatches(self.library, settings, processes)
        return Batches(self.store, self.card, settings, processes, self.num_workers)

    def _training_log(self) -> TrainingLog:
        return TrainingLog(self.folder, self.run.step, validates=self.validation is not None)

    @property
    def _looks(self) -> bool:
        """Whether it is time for pictures and a validation: after an epoch, and at the end."""
        settings, plan = self.plan.settings, self.plan
        every = settings.sample_every or max(round(plan.steps_per_epoch), LEAST_PICTURE_STEPS)
        return self.run.step == plan.steps or self.run.step % every == 0

    def _look(self, training_log: TrainingLog, epoch: float) -> Metrics | None:
        """Write pictures, and the figures of the patches held out."""
        if pictured := list(self._pictured()):
            write_samples(self.folder, self.run.step, pictured, self.card)
        if self.validation is None:
            return None
        figures = self.validation.figures(self.run, self.plan, self.card)
        training_log.write_validation(self.run.step, epoch, figures)
        if figures.psnr is not None:
            found = BestModel(self.run.step, figures.psnr)
            keep_best(self.run.result, self.card, self.folder, found)
        return figures

    def _save(self) -> None:
        """Write model and checkpoint when their time has come, and at the end.

        The model first: a run that is killed between the two takes its last steps again.
        """
        step, settings = self.run.step, self.plan.settings
        if step == self.plan.steps or step % settings.checkpoint_every == 0:
            card = dataclasses.replace(self.card, training={**self.card.training, "steps": step})
            write_model(self.run.result, card, self.folder, step)
            self.run.save(self.folder / CHECKPOINT)

    def _pictured(self) -> Iterator[tuple[PatchArrays, Float32]]:
        for index in even_indexes(len(self.store.samples), PICTURED):
            pixels = self.store.get(index)
            if pixels is not None:
                seen = middle(pixels, self.plan.settings.crop)
                yield seen, predict(self.run, self.plan, self.card, seen)

    def _result(self, skipped: Sequence[str], validated: Metrics | None) -> TrainResult:
        stages = len(self.plan.objective.stages)
        losses = self.run.losses[self.plan.steps * (stages - 1) // stages :]
        ends = max(1, round(ENDS * len(losses)))
        return TrainResult(
            output=self.folder,
            network=self.plan.settings.network,
            patches=self.library.count if self.library else len(self.store.samples) - len(skipped),
            steps=self.run.step,
            first_loss=float(np.mean(losses[:ends])),
            last_loss=float(np.mean(losses[-ends:])),
            seconds=self.run.seconds,
            skipped=tuple(skipped),
            validation=validated,
            best=best_model(self.folder) if self.validation else None,
        )


def even_indexes(number: int, most: int) -> list[int]:
    """At most `most` places of a list, evenly spread."""
    return sorted({index * number // most for index in range(most)})
