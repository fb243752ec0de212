"""Arrays that a network is checked with: what it was fed once, and what came out.

Inputs are on the scale of the network, under the names that published checks use: `opt` and `sar`,
and `shadow`, or one stack `x` in the catalogue's order, with or without an axis of dates behind the
first; `dates` where a network takes several. Of the outputs, `out` is the image, behind it the
variance where the network predicts one, as the network has them inside; others have their own
names.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from cloudfree.core.radiometry import Float32
from cloudfree.errors import ModelError
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.registry import network_entry

Arrays = Mapping[str, Float32]

# Name of an input -> its name in published arrays.
SINGLE = {"optical": "opt", "sar": "sar", "shadow": "shadow"}
STACK, DATES, OUT = "x", "dates", "out"
INPUTS = {*SINGLE.values(), STACK, DATES}

# Beside a card, both in one file: what `cloudfree models check` uses unless told otherwise.
GOLDEN = "golden.npz"


def read_arrays(path: Path) -> dict[str, Float32]:
    """The arrays of an .npz file; nothing in it is run.

    Raises
    ------
    ModelError
        The file is missing or holds no arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            return {name: content[name] for name in content.files}
    except (OSError, ValueError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path} holds no arrays ({str(error).splitlines()[0]})",
            wanted="an .npz file",
            hint="write it with numpy.savez",
        ) from error


def network_inputs(arrays: Arrays, card: ModelCard) -> dict[str, Float32]:
    """What the network of a card is fed: batches by the names of its inputs.

    Raises
    ------
    ModelError
        An input is missing, or the stack has another number of bands.
    """
    found = _unstacked(arrays[STACK], card) if STACK in arrays else {
        name: arrays[SINGLE[name]] for name in card.inputs if SINGLE[name] in arrays
    }  # fmt: skip
    if set(found) != set(card.inputs):
        raise ModelError(
            f"arrays {', '.join(arrays) or 'of no name'}",
            wanted=" and ".join(SINGLE[name] for name in card.inputs) + f", or {STACK}",
            hint="name the inputs so, on the scale of the network",
        )
    if DATES in arrays and network_entry(card.network)["dates"] != "one":
        return {**found, DATES: arrays[DATES]}
    return {name: _single_date(value) for name, value in found.items()}


def _unstacked(stack: Float32, card: ModelCard) -> dict[str, Float32]:
    """The inputs that stand in one array behind each other."""
    order = [n for n in network_entry(card.network).get("stack", card.inputs) if n in card.inputs]
    numbers = card.input_bands
    ends = np.cumsum([numbers[name] for name in order])
    if stack.ndim < 4 or stack.shape[-3] != ends[-1]:
        raise ModelError(
            f"{STACK} of shape {stack.shape}",
            wanted=f"{ends[-1]} bands: " + ", ".join(f"{numbers[name]} {name}" for name in order),
            hint="give the inputs that belong to the model",
        )
    return dict(zip(order, np.split(stack, ends[:-1], axis=-3), strict=True))


def _single_date(value: Float32) -> Float32:
    """Without the axis of dates, of which there is one."""
    if value.ndim == 4:
        return value
    if value.ndim != 5 or value.shape[1] != 1:
        raise ModelError(
            f"an input of shape {value.shape} without {DATES}",
            wanted="(n, band, y, x), or one date",
            hint=f"add {DATES} if the network takes several",
        )
    return value[:, 0]


def differences(outputs: Arrays, wanted: Arrays, card: ModelCard) -> dict[str, float]:
    """Largest difference of each output that is wanted, on the scale that it is wanted in.

    Raises
    ------
    ModelError
        An output is missing, has another shape, or is no number somewhere.
    """
    compared = dict(_compared(outputs, wanted, card))
    if not compared:
        raise ModelError(
            "no outputs to compare with", wanted=f"an array {OUT}", hint="name it so in the file"
        )
    return compared


def _compared(outputs: Arrays, wanted: Arrays, card: ModelCard) -> Iterator[tuple[str, float]]:
    known = {**outputs, OUT: _published(outputs, card)}
    for name, value in wanted.items():
        if name not in known:
            raise ModelError(
                f"an output {name!r} is wanted",
                wanted=f"one of {', '.join(known)}",
                hint="take the other arrays out of the file",
            )
        yield name, _difference(name, known[name], value)


def _published(outputs: Arrays, card: ModelCard) -> Float32:
    """Image and variance behind each other as the network has them, before it scales them back."""
    scale = np.float32(card.network_settings.get("scale_by", 1.0))
    parts = [outputs["image"] * scale]
    if "variance" in outputs:
        parts.append(outputs["variance"] * scale**2)
    return np.concatenate(parts, axis=1)


def _difference(name: str, found: Float32, wanted: Float32) -> float:
    """Largest difference; of an output for one date, the axis of dates may be there."""
    if wanted.ndim == found.ndim + 1 and wanted.shape[1] == 1:
        wanted = wanted[:, 0]
    if name == OUT:  # what stands behind the image is compared where it is wanted
        found = found[:, : wanted.shape[1]]
    if found.shape != wanted.shape:
        raise ModelError(
            f"{name} has shape {found.shape}",
            wanted=str(wanted.shape),
            hint="give the outputs that belong to the inputs",
        )
    missing = int((~np.isfinite(found)).sum())
    if missing:
        raise ModelError(
            f"{name} has {missing} values that are no numbers",
            wanted="numbers",
            hint="check the weights and the scale of the inputs",
        )
    return float(np.abs(found - wanted).max())
