"""`cloudfree models check`: compare the outputs of a model with reference outputs.

Inputs are on the scale of the network, under the names that published checks use: `opt` and `sar`,
and `shadow`, or one stack `x` in the registry's order, with or without an axis of dates after the
first; `dates` where a network takes several. Of the outputs, `out` is the image, followed by the
variance if the network predicts one, on the scale of the network; others have their own names.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cloudfree.commands.options import PluginOptions
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.errors import ErrorCode, InputError, ModelError, parser_errors, reason_of
from cloudfree.inference.date_series import DATES
from cloudfree.inference.load import load_model
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.model_store import find_model, is_file
from cloudfree.inference.registry import has_network, load_plugins, network_entry

Arrays = Mapping[str, Float32]


@dataclass(frozen=True)
class CheckOptions(PluginOptions):
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
    load_plugins(options.plugin)
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
            code=ErrorCode.BAD_OPTION,
        )
    golden = None if is_file(options.model) else find_model(options.model) / GOLDEN
    if golden is None or not golden.is_file():
        raise InputError(
            f"no {GOLDEN} beside a card of {options.model}",
            wanted="arrays to check the model with",
            hint="give --inputs X.npz and --expect Y.npz",
            code=ErrorCode.MISSING_FILE,
        )
    arrays = read_arrays(golden)
    wanted = {name: value for name, value in arrays.items() if name not in INPUTS}
    return arrays, wanted


# Name of an input -> its name in published arrays.
PUBLISHED_NAMES = {"optical": "opt", "sar": "sar", "shadow": "shadow"}
STACK, OUT = "x", "out"
INPUTS = {*PUBLISHED_NAMES.values(), STACK, DATES}

# Inputs and outputs in the folder of a card: the default of `cloudfree models check`.
GOLDEN = "golden.npz"


def read_arrays(path: Path) -> dict[str, Float32]:
    """The arrays of an .npz file; no code in it is run.

    Raises
    ------
    ModelError
        The file is missing or holds no arrays.
    """

    def as_error(error: Exception) -> ModelError:
        return ModelError(
            f"{path} holds no arrays ({reason_of(error)})",
            wanted="an .npz file of numbers",
            hint="write it with numpy.savez",
        )

    with (
        parser_errors(as_error),
        path.open("rb") as file,
        np.load(file, allow_pickle=False) as content,
    ):
        _check_sizes(path)
        return {name: _numbers(name, content[name]) for name in content.files}


def _numbers(name: str, values: Any) -> Float32:
    """An array of real numbers; other members of an archive are bytes, texts or times."""
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub" or not values.size:
        raise ValueError(f"{name} has no real numbers")
    with np.errstate(over="ignore"):
        return np.asarray(values, np.float32)


# Inputs and outputs of the networks here have some megabytes.
_MAX_BYTES = 1 << 31


def _check_sizes(path: Path) -> None:
    """Raise ValueError if the arrays of an archive would take more memory than is meant."""
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > _MAX_BYTES:
        raise ValueError(f"{size / 1e9:.1f} GB of arrays, more than {_MAX_BYTES / 1e9:.1f} GB")


def network_inputs(arrays: Arrays, card: ModelCard) -> dict[str, Float32]:
    """Inputs of the network of a card: batches by name.

    Raises
    ------
    ModelError
        An input is missing, or the stack has another number of bands.
    """
    found = _unstacked(arrays[STACK], card) if STACK in arrays else _separate(arrays, card)
    if set(found) != set(card.inputs):
        raise ModelError(
            f"arrays {', '.join(arrays) or 'none'}",
            wanted=" and ".join(PUBLISHED_NAMES[name] for name in card.inputs) + f", or {STACK}",
            hint="name the inputs so, on the scale of the network",
        )
    if DATES in arrays and card.takes_several_dates:
        return {**found, DATES: arrays[DATES]}
    inputs = {name: _single_date(value) for name, value in found.items()}
    _check_shapes(inputs, card)
    return inputs


def _check_shapes(inputs: Arrays, card: ModelCard) -> None:
    """Refuse inputs of another number of bands than the card says, or of several sizes."""
    bands = card.input_bands
    wrong = {name: value.shape for name, value in inputs.items() if value.shape[1] != bands[name]}
    if wrong or len({(len(value), *value.shape[2:]) for value in inputs.values()}) > 1:
        raise ModelError(
            "inputs " + ", ".join(f"{name} {value.shape}" for name, value in inputs.items()),
            wanted=" and ".join(f"{bands[name]} bands of {name}" for name in inputs)
            + ", all of one size",
            hint="give the inputs of this model",
        )


def _separate(arrays: Arrays, card: ModelCard) -> dict[str, Float32]:
    """The inputs that are arrays of their own."""
    names = {name: PUBLISHED_NAMES[name] for name in card.inputs}
    return {name: arrays[published] for name, published in names.items() if published in arrays}


def _unstacked(stack: Float32, card: ModelCard) -> dict[str, Float32]:
    """The inputs that are concatenated in one array."""
    entry = network_entry(card.network) if has_network(card.network) else {}
    order = [name for name in entry.get("stack", card.inputs) if name in card.inputs]
    numbers = card.input_bands
    ends = np.cumsum([numbers[name] for name in order])
    if stack.ndim < 4 or stack.shape[-3] != ends[-1]:
        raise ModelError(
            f"{STACK} of shape {stack.shape}",
            wanted=f"{ends[-1]} bands: " + ", ".join(f"{numbers[name]} {name}" for name in order),
            hint="give the inputs of this model",
        )
    return dict(zip(order, np.split(stack, ends[:-1], axis=-3), strict=True))


def _single_date(value: Float32) -> Float32:
    """Remove the axis of dates, which has length one."""
    if value.ndim == 4:
        return value
    if value.ndim != 5 or value.shape[1] != 1:
        raise ModelError(
            f"an input of shape {value.shape} without {DATES}",
            wanted="(n, band, y, x), or one date",
            hint=f"add {DATES} if the network takes several",
        )
    return value[:, 0]


def differences(outputs: Arrays, expected: Arrays, card: ModelCard) -> dict[str, float]:
    """Largest difference of each expected output, on the scale of the expected values.

    Raises
    ------
    ModelError
        An output is missing, has another shape, or is no number somewhere.
    """
    compared = dict(_compared(outputs, expected, card))
    if not compared:
        raise ModelError(
            "no outputs to compare with", wanted=f"an array {OUT}", hint="name it so in the file"
        )
    return compared


def _compared(outputs: Arrays, expected: Arrays, card: ModelCard) -> Iterator[tuple[str, float]]:
    known = {**outputs, OUT: _published(outputs, card)}
    for name, value in expected.items():
        if name not in known:
            raise ModelError(
                f"an expected output {name!r}",
                wanted=f"one of {', '.join(known)}",
                hint="remove the other arrays from the file",
            )
        yield name, _difference(name, known[name], value)


def _published(outputs: Arrays, card: ModelCard) -> Float32:
    """Image and variance, concatenated, on the scale of the network."""
    scale = np.float32(card.network_settings.get("scale_by", 1.0))
    parts = [outputs["image"] * scale]
    if "variance" in outputs:
        parts.append(outputs["variance"] * scale**2)
    return np.concatenate(parts, axis=1)


def _difference(name: str, found: Float32, expected: Float32) -> float:
    """Largest difference; expected outputs for one date may have an axis of dates."""
    if expected.ndim == found.ndim + 1 and expected.shape[1] == 1:
        expected = expected[:, 0]
    if name == OUT:  # the variance is compared only if it is expected
        found = found[:, : expected.shape[1]]
    if found.shape != expected.shape:
        raise ModelError(
            f"{name} has shape {found.shape}",
            wanted=str(expected.shape),
            hint="give the outputs of these inputs",
        )
    missing = int((~np.isfinite(found)).sum())
    if missing:
        raise ModelError(
            f"{name} has {missing} values that are not finite",
            wanted="numbers",
            hint="check the weights and the scale of the inputs",
        )
    with np.errstate(invalid="ignore"):  # of infinite numbers that are expected
        return float(np.abs(found - expected).max())
