"""`cloudfree models check`: compare the outputs of a model with reference outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.errors import InputError, ModelError
from cloudfree.inference.load import load_model
from cloudfree.inference.model_store import find_model, is_file
from cloudfree.inference.reference_outputs import (
    GOLDEN,
    INPUTS,
    differences,
    network_inputs,
    read_arrays,
)

Arrays = Mapping[str, Float32]


@dataclass(frozen=True)
class CheckOptions:
    """The options of `cloudfree models check`; names equal its parameters."""

    model: str
    inputs: Path | None = None
    expect: Path | None = None
    atol: float = 1e-4
    network: str | None = None


@dataclass(frozen=True)
class CheckResult:
    """Largest difference of each output, and the largest of all."""

    model: str
    network: str
    runtime: str
    differences: Mapping[str, float]
    largest: float
    atol: float

    def summary(self) -> str:
        """A few lines of text."""
        each = "\n".join(f"  {name:<10} {value:.2e}" for name, value in self.differences.items())
        return (
            f"{self.model} ({self.network}): largest difference {self.largest:.2e}, "
            f"within {self.atol:g}\n{each}\n  {self.runtime}"
        )


def run(options: CheckOptions, progress: Progress) -> CheckResult:
    """Run a model on a CPU in fp32 and compare its outputs with the reference.

    Raises
    ------
    CloudfreeError
        There is nothing to compare with, or a difference is larger than `atol`.
    """
    del progress
    inputs, wanted = _arrays(options)
    model = load_model(options.model, "cpu", "fp32", options.network)
    outputs = model.runtime.run(network_inputs(inputs, model.card))
    found = differences(outputs, wanted, model.card)
    worst = max(found, key=lambda name: found[name])
    if not found[worst] <= options.atol:
        raise ModelError(
            f"{worst} of {model.card.name} differs by {found[worst]:.2e}",
            wanted=f"at most {options.atol:g}",
            hint="check that weights, --network and arrays belong together",
        )
    return CheckResult(
        model=model.card.name,
        network=model.card.network,
        runtime=model.runtime.description,
        differences=found,
        largest=found[worst],
        atol=options.atol,
    )


def _arrays(options: CheckOptions) -> tuple[Arrays, Arrays]:
    """Inputs and wanted outputs: of the two files given, or of the one beside the card."""
    if options.inputs and options.expect:
        return read_arrays(options.inputs), read_arrays(options.expect)
    if options.inputs or options.expect:
        raise InputError(
            "only one of --inputs and --expect",
            wanted="both, or none where the model has arrays of its own",
            hint="give the other as well",
        )
    golden = None if is_file(options.model) else find_model(options.model) / GOLDEN
    if golden is None or not golden.is_file():
        raise InputError(
            f"no {GOLDEN} beside a card of {options.model}",
            wanted="arrays to check the model with",
            hint="give --inputs X.npz and --expect Y.npz",
        )
    arrays = read_arrays(golden)
    wanted = {name: value for name, value in arrays.items() if name not in INPUTS}
    return arrays, wanted
