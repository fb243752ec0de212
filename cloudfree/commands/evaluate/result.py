"""Result of an evaluation, and its files: CSV, JSON and the page."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudfree.commands.evaluate.calibration import Calibration
from cloudfree.commands.evaluate.page import (
    METRIC_COLUMNS,
    EvaluationPage,
    PatchSection,
    render_evaluation,
)
from cloudfree.commands.evaluate.summary import GroupKind, ScoredPatch, SummaryRow
from cloudfree.core.output_files import make_folder, require_absent, require_writable
from cloudfree.core.output_set import OutputSet
from cloudfree.core.terminal import text_table
from cloudfree.datasets.patch import Skipped
from cloudfree.datasets.split_file import SPLIT_FILE
from cloudfree.errors import OutputError
from cloudfree.inference.model_card import toml_text
from cloudfree.metrics.bootstrap import METRICS
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.raster.encoded_picture import png
from cloudfree.report.comparison import PSNR, Column
from cloudfree.report.pictures import UInt8Image


@dataclass(frozen=True)
class Evaluation:
    """Metrics of models on a data set.

    `definition` describes `protocol`; `models` are names and the hashes of their weights; `bands`
    are those compared. `rows` are means over patches. `calibration` has an entry for each model
    that predicts a variance, or for each error model that is compared; then `error_models` holds
    the entry `[uncertainty]` for the card of each model. `cover` says what
    counts as cloud cover, and `training` what the cards say of network, seed and split. `shown` are
    the pictures of chosen patches: files in `output` by the name of the picture.
    """

    version: str
    data: Path
    split: str
    protocol: str
    definition: str
    models: Mapping[str, str]
    bands: tuple[str, ...]
    rows: tuple[SummaryRow, ...]
    calibration: Mapping[str, Calibration]
    patches: tuple[ScoredPatch, ...]
    skipped: tuple[Skipped, ...]
    output: Path | None
    error_models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cover: str = ""
    training: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    shown: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def places(self) -> int:
        """Number of places of the patches."""
        return len({patch.place for patch in self.patches})

    def of_kind(self, kind: GroupKind) -> list[SummaryRow]:
        """The rows of one kind."""
        return [row for row in self.rows if row.kind == kind]

    def summary(self) -> str:
        """Tables of text."""
        return "\n".join(_lines(self))


def _lines(found: Evaluation) -> Iterator[str]:
    patches = f"{len(found.patches)} patches of {found.places} places"
    yield f"{found.data}, split {found.split}: {patches}"
    yield f"protocol {found.protocol}: {found.definition}"
    if len(found.bands) < 13:
        yield f"bands {', '.join(found.bands)}"
    yield ""
    yield _pixels_table(found)
    yield "\nPSNR in dB by cloud cover (patches)"
    yield _cover_table(found)
    for label, one in found.calibration.items():
        yield (
            f"\n{label}: UCE {one.uce:.4f}, AUCE {one.auce:.4f}; {one.within_1:.1%} of the errors "
            f"within one standard deviation, {one.within_2:.1%} within two"
        )
    for label, entry in found.error_models.items():
        yield f"\n# of {label}, for its card\n{toml_text({'uncertainty': entry}).strip()}"
    if found.skipped:
        yield f"\n{len(found.skipped)} patches skipped:"
        yield from (f"  {one.name}: {one.reason}" for one in found.skipped[:5])
    if found.output:
        yield f"\n{found.output / 'index.html'}"


def _pixels_table(found: Evaluation) -> str:
    """Means over all, cloudy and clear pixels, with the bootstrap interval of the PSNR."""
    heads = ["pixels", "method", *map(_head, METRIC_COLUMNS), "PSNR, 95 % of draws"]
    rows = [
        [
            row.group,
            row.method,
            *_texts(row),
            _interval(row),
        ]
        for row in found.of_kind("pixels")
    ]
    return text_table(heads, rows)


def _head(column: Column) -> str:
    return f"{column.title} {column.short_unit}".strip()


def _texts(row: SummaryRow) -> list[str]:
    return [column.text(row.means.figures) for column in METRIC_COLUMNS]


def _interval(row: SummaryRow) -> str:
    interval = row.means.intervals.get("psnr")
    return f"{interval.low:.2f} to {interval.high:.2f}" if interval else ""


def _cover_table(found: Evaluation) -> str:
    """One line for each method, one column for each range of cloud cover."""
    rows = found.of_kind("cover")
    groups = list(dict.fromkeys(row.group for row in rows))
    count = {row.group: row.means.patches for row in rows}
    heads = ["method", *(f"{group} ({count[group]})" for group in groups)]
    methods = dict.fromkeys(row.method for row in rows)
    cells = {(row.method, row.group): PSNR.text(row.means.figures) for row in rows}
    return text_table(heads, [[m, *(cells[m, group] for group in groups)] for m in methods])


PAGE, JSON, SUMMARY, PATCHES = "index.html", "evaluation.json", "summary.csv", "patches.csv"
# The folder of the pictures of chosen patches.
SHOWN = "shown"
FILES = (PAGE, JSON, SUMMARY, PATCHES)

Record = Mapping[str, Any]


def check_outputs(folder: Path | None, overwrite: bool, files: Sequence[str] = FILES) -> None:
    """Refuse a folder that is a file, or one with files of these names.

    Raises
    ------
    OutputError
        A file with that name exists.
    """
    if folder is None:
        return
    require_writable(folder / files[0])
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(
            f"{folder} is a file", wanted="a folder for page and tables", hint="give another -o"
        )
    for name in files:
        require_absent(folder / name, overwrite)


def write_files(
    folder: Path,
    found: Evaluation,
    sections: Sequence[PatchSection],
    overwrite: bool,
    split: str | None = None,
    pictures: Mapping[str, UInt8Image] | None = None,
) -> None:
    """Write page, JSON and tables at once.

    With them the text of the split file if one was used, and `pictures` by their file name.

    Raises
    ------
    OutputError
        The folder or a file in it cannot be written.
    """
    make_folder(folder)
    if pictures:
        make_folder(folder / SHOWN)
    contents = {
        PATCHES: csv_text(_patch_records(found)),
        SUMMARY: csv_text(_summary_records(found)),
        JSON: json_text(dataclasses.asdict(found)),
        PAGE: render_evaluation(_page(found, sections)),
    }
    if split is not None:
        contents[SPLIT_FILE] = split
    with OutputSet(
        folder / PAGE, overwrite, outdated=[folder / SPLIT_FILE, *(folder / SHOWN).glob("*.png")]
    ) as outputs:
        for name, text in contents.items():
            outputs.write(folder / name, text)
        for name, pixels in (pictures or {}).items():
            outputs.write(folder / name, png(pixels))


def _summary_records(found: Evaluation) -> Iterable[Record]:
    """A record for each row: means, and low and high end of their intervals."""
    for row in found.rows:
        yield {
            "protocol": found.protocol,
            "kind": row.kind,
            "group": row.group,
            "method": row.method,
            "patches": row.means.patches,
            **vars(row.means.figures),
            **{
                f"{metric}_{end}": getattr(row.means.intervals.get(metric), end, None)
                for metric in METRICS
                for end in ("low", "high")
            },
        }


def _patch_records(found: Evaluation) -> Iterable[Record]:
    """A record for each patch, method and choice of pixels."""
    for patch in found.patches:
        own = {"protocol": found.protocol, "patch": patch.name, "place": patch.place}
        own |= {"season": patch.season}
        own |= {f"{image}_date": day for image, day in vars(patch.dates).items()}
        shares = {"cover": patch.cover, "filled": patch.filled}
        for method, figures in patch.figures.items():
            for pixels in ("all", "cloudy", "clear"):
                regional: Metrics = getattr(figures, pixels)
                names = {"method": method, "region": pixels}
                yield {**own, **shares, **names, **vars(regional)}


def csv_text(records: Iterable[Record]) -> str:
    """Records as CSV with a header line; None is empty."""
    rows = list(records)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def json_text(found: Record) -> str:
    """A record as JSON, which has no infinity: the PSNR of equal images becomes null."""
    plain = json.dumps(found, default=str)
    return json.dumps(json.loads(plain, parse_constant=lambda _: None), indent=1) + "\n"


def _page(found: Evaluation, sections: Sequence[PatchSection]) -> EvaluationPage:
    facts = {
        "Data": str(found.data),
        "Split": found.split,
        "Patches": f"{len(found.patches)} of {found.places} places",
        "Bands": ", ".join(found.bands),
        "Cloud cover": found.cover,
        "Protocol": f"{found.protocol}: {found.definition}",
        **{f"Weights of {name}": sha256 for name, sha256 in found.models.items()},
    }
    return EvaluationPage(
        title=f"{', '.join(found.models)} on {found.data.resolve().name}",
        protocol=found.protocol,
        metadata=facts,
        rows=found.rows,
        calibration=found.calibration,
        skipped=tuple((one.name, one.reason) for one in found.skipped),
        sections=tuple(sections),
        version=found.version,
    )
