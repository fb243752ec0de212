"""What one step learns from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Patches of one size, scaled as the network wants them.

    `inputs` are what it takes, (n, band, y, x) by name. `cloudy` and `target` have the bands it
    restores; `valid` tells where the target has data, elsewhere `target` is as `cloudy`.
    `classes`, (n, y, x), is the cloud mask, or None where the loss needs none.
    """

    files: tuple[str, ...]
    inputs: Mapping[str, Tensor]
    cloudy: Tensor
    target: Tensor
    valid: Tensor
    classes: Tensor | None

    def to(self, device: torch.device) -> Batch:
        """The same on a device; nobody waits for the copy of a batch that is pinned."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> Batch:
        """The same in memory that a GPU copies from by itself."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        inputs = {name: change(value) for name, value in self.inputs.items()}
        classes = None if self.classes is None else change(self.classes)
        cloudy, target, valid = (change(one) for one in (self.cloudy, self.target, self.valid))
        return Batch(self.files, inputs, cloudy, target, valid, classes)
