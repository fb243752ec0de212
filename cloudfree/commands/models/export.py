"""`cloudfree export`: a model as one ONNX file that agrees with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.models.child_process import Stage, in_child_process
from cloudfree.commands.options import PluginOptions
from cloudfree.core.onnx_session import ONNX_SUFFIX
from cloudfree.core.output_files import cannot_be_written, require_absent
from cloudfree.core.output_set import draft_of
from cloudfree.core.terminal import Progress
from cloudfree.errors import ErrorCode, ModelError, OutputError
from cloudfree.inference.export import write_onnx
from cloudfree.inference.load import find_card, load_network
from cloudfree.inference.onnx_runtime import OnnxRuntime
from cloudfree.inference.registry import load_plugins


@dataclass(frozen=True)
class ExportOptions(PluginOptions):
    """The options of `cloudfree export`; names equal its parameters."""

    model: str
    output: Path
    network: str | None = None
    opset: int = 18
    overwrite: bool = False


@dataclass(frozen=True)
class ExportResult:
    """Inputs and outputs of the file, and its parity with torch.

    `inputs` are shapes, with a name where a length is free; `dynamic` are the axes that are free
    in all inputs, read from the file; `difference` is the largest to torch at `checked_sizes`
    (n, y, x), in proportion to the largest value of an output where that exceeds 1.
    """

    output: Path
    network: str
    license: str
    opset: int
    megabytes: float
    inputs: Mapping[str, list[int | str]]
    outputs: list[str]
    dynamic: tuple[str, ...]
    smallest_side: int
    difference: float
    checked_sizes: tuple[tuple[int, int, int], ...]

    def summary(self) -> str:
        """A few lines of text."""
        shapes = ", ".join(f"{name} {_by(shape)}" for name, shape in self.inputs.items())
        sizes = " and ".join(_by(size) for size in self.checked_sizes)
        return (
            f"{self.output}\n  {self.network}, opset {self.opset}, {self.megabytes:.1f} MB, "
            f"licence of the weights: {self.license}\n"
            f"  takes {shapes}; gives {', '.join(self.outputs)}\n"
            f"  free: {', '.join(self.dynamic) or 'nothing'}; "
            f"sides from {self.smallest_side} pixels\n"
            f"  largest difference to torch {self.difference:.1e}, at {sizes}"
        )


def run(options: ExportOptions, progress: Progress) -> ExportResult:
    """Export a model in a child process; the file is checked, then renamed.

    Raises
    ------
    CloudfreeError
        The model cannot be found, loaded or exported, or the file cannot be written.
    """
    del progress  # the log says how far it is
    _check_output(options)
    try:
        with draft_of(options.output) as draft:
            return in_child_process(write_export, options, draft)
    except OSError as error:
        raise cannot_be_written(options.output, error) from error


def write_export(options: ExportOptions, draft: Path, stage: Stage) -> ExportResult:
    """Write the file as a draft, and check it.

    Raises
    ------
    CloudfreeError
        The model cannot be found, loaded or exported.
    """
    stage("loading the model")
    load_plugins(options.plugin)
    found = find_card(options.model, options.network)
    if found.weights.suffix == ONNX_SUFFIX:
        raise ModelError(
            f"{found.weights.name} is an ONNX file",
            wanted="a model or a checkpoint",
            hint="use it as it is: `cloudfree remove --model` takes it",
        )
    agreement = write_onnx(load_network(found), found.card, draft, options.opset, stage)
    written = OnnxRuntime(draft, "cpu")
    return ExportResult(
        output=options.output,
        network=found.card.network,
        license=found.card.license,
        opset=options.opset,
        megabytes=draft.stat().st_size / 1e6,
        inputs=written.inputs,
        outputs=written.outputs,
        dynamic=written.free_axes,
        smallest_side=agreement.smallest_side,
        difference=agreement.difference,
        checked_sizes=agreement.sizes,
    )


def _check_output(options: ExportOptions) -> None:
    if options.output.suffix != ONNX_SUFFIX:
        raise OutputError(
            f"{options.output.name} for an ONNX file",
            wanted=f"a name that ends in {ONNX_SUFFIX}: it identifies the format",
            hint="correct -o",
            code=ErrorCode.BAD_OPTION,
        )
    require_absent(options.output, options.overwrite)


def _by(shape: tuple[int, ...] | list[int | str]) -> str:
    return " x ".join(map(str, shape))
