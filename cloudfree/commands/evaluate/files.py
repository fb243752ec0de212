"""The files of an evaluation: figures as CSV and JSON, and the page."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudfree.commands.evaluate.page import EvaluationPage, PatchSection, render_evaluation
from cloudfree.commands.evaluate.result import Evaluation
from cloudfree.core.output_files import make_folder, require_absent, require_writable, write_whole
from cloudfree.errors import OutputError
from cloudfree.metrics.bootstrap import METRICS
from cloudfree.metrics.image_metrics import Metrics

PAGE, JSON, SUMMARY, PATCHES = "index.html", "evaluation.json", "summary.csv", "patches.csv"
FILES = (PAGE, JSON, SUMMARY, PATCHES)

Record = Mapping[str, Any]


def check_outputs(folder: Path | None, overwrite: bool) -> None:
    """Refuse a folder that is a file, or one with files of the same names.

    Raises
    ------
    OutputError
        Something is in the way.
    """
    if folder is None:
        return
    require_writable(folder / PAGE)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(
            f"{folder} is a file", wanted="a folder for page and tables", hint="give another -o"
        )
    for name in FILES:
        require_absent(folder / name, overwrite)


def write_files(folder: Path, found: Evaluation, chapters: Sequence[PatchSection]) -> None:
    """Write page, JSON and tables; each is whole when it has its name, the page comes last.

    Raises
    ------
    OutputError
        The folder or a file in it cannot be written.
    """
    make_folder(folder)
    contents = {
        PATCHES: _csv(_patch_records(found)),
        SUMMARY: _csv(_summary_records(found)),
        JSON: _json(found),
        PAGE: render_evaluation(_page(found, chapters)),
    }
    for name, text in contents.items():
        write_whole(folder / name, text)


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
        shares = {"cover": patch.cover, "restored": patch.restored}
        for method, figures in patch.figures.items():
            for pixels in ("all", "cloudy", "clear"):
                regional: Metrics = getattr(figures, pixels)
                names = {"method": method, "region": pixels}
                yield {**own, **shares, **names, **vars(regional)}


def _csv(records: Iterable[Record]) -> str:
    """Records as CSV, the names of their fields in the first line; no number is empty."""
    rows = list(records)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _json(found: Evaluation) -> str:
    """Everything as JSON, which knows no infinity: that of equal images becomes null."""
    plain = json.dumps(dataclasses.asdict(found), default=str)
    return json.dumps(json.loads(plain, parse_constant=lambda _: None), indent=1) + "\n"


def _page(found: Evaluation, chapters: Sequence[PatchSection]) -> EvaluationPage:
    facts = {
        "Data": str(found.data),
        "Split": found.split,
        "Patches": f"{len(found.patches)} of {found.places} places",
        "Bands": ", ".join(found.bands),
        "Protocol": f"{found.protocol}: {found.definition}",
        **{f"Weights of {name}": sha256 for name, sha256 in found.models.items()},
    }
    return EvaluationPage(
        title=f"{', '.join(found.models)} on {found.data.resolve().name}",
        protocol=found.protocol,
        facts=facts,
        rows=found.rows,
        calibration=found.calibration,
        skipped=tuple((one.name, one.reason) for one in found.skipped),
        chapters=tuple(chapters),
        version=found.version,
    )
