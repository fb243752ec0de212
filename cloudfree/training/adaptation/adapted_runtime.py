"""Running a network whose result is corrected by what was learned of one scene."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from cloudfree.core.radiometry import Float32
from cloudfree.inference.model import Arrays, Runtime
from cloudfree.inference.oom import memory_errors
from cloudfree.training.adaptation.scene_correction import SceneCorrection


@dataclass(frozen=True)
class AdaptedRuntime:
    """Another runtime, to whose image a `share` of a correction is added.

    `places` are those that the bands of the image have among the optical bands.
    """

    runtime: Runtime
    correction: SceneCorrection
    places: Sequence[int]
    share: float

    @property
    def description(self) -> str:
        """That of the other runtime."""
        return self.runtime.description

    @property
    def batch(self) -> int:
        """That of the other runtime."""
        return self.runtime.batch

    def parallel_batches(self) -> AbstractContextManager[int]:
        """That of the other runtime."""
        return self.runtime.parallel_batches()

    def run(self, inputs: Arrays) -> Arrays:
        """What the other runtime predicts, with its image corrected.

        Raises
        ------
        MemoryError
            The batch is too much for the device.
        """
        outputs = self.runtime.run(inputs)
        with memory_errors(torch.cuda.empty_cache), torch.inference_mode():
            seen = tensors_of(outputs["image"], inputs, self.places)
            device = self.correction.mean.device
            image, optical, sar = (None if one is None else one.to(device) for one in seen)
            assert image is not None
            change = self.correction(image, optical, sar)
            corrected = torch.add(image, change, alpha=self.share)
            return {**outputs, "image": corrected.cpu().numpy()}


def tensors_of(
    image: Float32, inputs: Arrays, places: Sequence[int]
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """What a correction looks at: a restored image, what was seen of the same bands, and the SAR.

    Shapes: (n, bands, y, x) of the image and the optical part, (n, sar_bands, y, x). What the
    network does not look at is None.
    """
    optical, sar = inputs.get("optical"), inputs.get("sar")
    if optical is not None and list(places) != list(range(optical.shape[1])):
        optical = optical[:, list(places)]
    return (
        torch.as_tensor(image[:, : len(places)]),
        None if optical is None else torch.as_tensor(optical),
        None if sar is None else torch.as_tensor(sar),
    )
