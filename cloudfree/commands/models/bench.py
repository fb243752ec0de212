"""`cloudfree models bench`: size, work, time and memory of networks, as a table."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from cloudfree.commands.models.bench_options import BenchOptions
from cloudfree.commands.models.bench_table import FORMATS, BenchRow, table_text
from cloudfree.commands.models.child_process import Stage, in_child_process
from cloudfree.core.onnx_session import ONNX_SUFFIX
from cloudfree.core.output_files import cannot_be_written, folders_of, require_absent
from cloudfree.core.output_set import write_whole
from cloudfree.core.terminal import Progress
from cloudfree.errors import CloudfreeError, ErrorCode, OutputError
from cloudfree.inference.model_card import ModelCard, model_card
from cloudfree.inference.model_store import is_model
from cloudfree.inference.registry import (
    card_entries,
    load_plugins,
    network_entry,
    network_names,
)
from cloudfree.training.settings import choose_settings, parse_network_settings

logger = logging.getLogger("cloudfree")


@dataclass(frozen=True)
class Case:
    """One network or model on one device with tiles of one size."""

    name: str
    size_px: int
    device: str


@dataclass(frozen=True)
class LeftOut(Case):
    """A case that could not be measured, and why."""

    reason: str


@dataclass(frozen=True)
class BenchResult:
    """What was measured, in the order of names, devices and sizes."""

    rows: tuple[BenchRow, ...]
    left_out: tuple[LeftOut, ...]
    output: tuple[Path, ...] = ()

    def summary(self) -> str:
        """The table, and what is not in it."""
        reasons = [f"{one.name}, {one.size_px} px, left out: {one.reason}" for one in self.left_out]
        written = [str(path) for path in self.output]
        return "\n".join([table_text(self.rows), *reasons, *written])


def run(options: BenchOptions, progress: Progress) -> BenchResult:
    """Measure each case in a process of its own, so that its memory is that of no other.

    Raises
    ------
    CloudfreeError
        There is no such network, model or device, or none of the cases could be measured.
    """
    load_plugins(options.plugin)
    names = options.model or tuple(network_names())
    _check_names(names, options.network_setting)
    cases = [
        Case(name, size, device)
        for name in names
        for device in options.device
        for size in options.size
    ]
    with folders_of(options.output):
        _check_outputs(options)
        rows, left_out = _measured(cases, options, progress)
        _write(rows, options.output)
    return BenchResult(tuple(rows), tuple(left_out), options.output)


def _measured(
    cases: list[Case], options: BenchOptions, progress: Progress
) -> tuple[list[BenchRow], list[LeftOut]]:
    """What was measured, and what could not be; if nothing could, the first error is raised."""
    rows, left_out = list[BenchRow](), list[LeftOut]()
    first: CloudfreeError | MemoryError | None = None
    for case in progress(cases, len(cases), "models bench", "case"):
        logger.info("%s, %d px, %s", case.name, case.size_px, case.device)
        try:
            rows.append(in_child_process(measure_case, case, options))
        except (CloudfreeError, MemoryError) as error:
            left_out.append(LeftOut(**asdict(case), reason=_reason(error)))
            first = first or error
    if first and not rows:
        raise first
    return rows, left_out


def _reason(error: CloudfreeError | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return "out of memory"
    return f"{error.found}; wanted {error.wanted}"


def measure_case(case: Case, options: BenchOptions, stage: Stage) -> BenchRow:
    """Measure one case, in the process that this is called in.

    Raises
    ------
    CloudfreeError
        The network or model cannot be built or take such a tile, or there is no such device.
    MemoryError
        The tile is too much for the device.
    """
    from cloudfree.inference.complexity import measure_network, measure_onnx
    from cloudfree.inference.load import find_card
    from cloudfree.inference.onnx_runtime import available_providers

    load_plugins(options.plugin)
    stage(f"measuring {case.name} at {case.size_px} px on {case.device}")
    files = find_card(case.name) if is_model(case.name) else None
    if files and files.weights.suffix == ONNX_SUFFIX:
        available_providers()  # loads the library before memory is looked at
        found = measure_onnx(files, case.size_px, case.device, options.repeats)
        return BenchRow(case.name, files.card.network, **asdict(found))
    card = files.card if files else _card(case.name, options.network_setting)
    found = measure_network(
        card, case.size_px, case.device, options.precision, options.repeats, files
    )
    return BenchRow(case.name, card.network, **asdict(found))


def _card(name: str, words: tuple[str, ...]) -> ModelCard:
    """The card of a network as `cloudfree train` builds it: by its preset and these arguments."""
    settings = choose_settings(name, {"network_settings": parse_network_settings(words)})
    entries = card_entries(name, dict(settings.network_settings), settings.bands)
    return model_card({**entries, "name": name, "weights": "", "weights_sha256": ""})


def _check_names(names: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Refuse what is neither model nor network, or does not take the settings, before a run."""
    from cloudfree.inference.checkpoint import check_settings

    for name in names:
        if is_model(name):
            continue
        network_entry(name)
        if words:
            check_settings(name, parse_network_settings(words))


def _check_outputs(options: BenchOptions) -> None:
    for path in options.output:
        if path.suffix not in FORMATS:
            raise OutputError(
                f"{path.name} for a table",
                wanted=f"a name that ends in {', '.join(FORMATS)}",
                hint="correct -o",
                code=ErrorCode.BAD_OPTION,
            )
        require_absent(path, options.overwrite)


def _write(rows: list[BenchRow], outputs: tuple[Path, ...]) -> None:
    for path in outputs:
        try:
            write_whole(path, FORMATS[path.suffix](rows))
        except OSError as error:
            raise cannot_be_written(path, error) from error
