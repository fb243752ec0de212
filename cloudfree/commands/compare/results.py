"""Results of `cloudfree evaluate`, as they are compared: the scores of each model by patch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudfree.commands.compare.options import ImageChoice
from cloudfree.commands.evaluate.patch import NOTHING, raw_of, written_of
from cloudfree.commands.evaluate.result import JSON
from cloudfree.datasets.patch import PatchDates
from cloudfree.errors import ErrorCode, InputError
from cloudfree.report.comparison import COLUMNS


@dataclass(frozen=True)
class PatchScore:
    """One patch as one model fills it: metrics by field, over all of its pixels."""

    place: str
    cover: float
    dates: PatchDates
    metrics: Mapping[str, float | None]


@dataclass(frozen=True)
class ModelResult:
    """The scores of one model, trained once, by the name of the patch.

    `pictures` are files by patch, and by `cloudy`, `radar`, `truth` and `filled`.
    """

    label: str
    weights: str
    seed: int | None
    patches: Mapping[str, PatchScore]
    pictures: Mapping[str, Mapping[str, Path]]


@dataclass(frozen=True)
class Results:
    """Comparable results by label: of one label the trainings with several seeds."""

    protocol: str
    cover: str
    models: Mapping[str, tuple[ModelResult, ...]]


def read_results(given: Sequence[str], image: ImageChoice) -> Results:
    """The models of all results, behind the cloudy image itself.

    Raises
    ------
    InputError
        One is no result, has another protocol, bands or cover than the others, or is there twice.
    """
    read = [_read(text) for text in given]
    _check_comparable(read)
    models: dict[str, list[ModelResult]] = {NOTHING: []}
    for result in read:
        for one in _models(result, image):
            _check_new(one, models.setdefault(one.label, []))
            models[one.label].append(one)
    models[NOTHING].append(_nothing(read))
    first = read[0].content
    return Results(
        str(first["protocol"]),
        str(first.get("cover", "")),
        {label: tuple(found) for label, found in models.items()},
    )


@dataclass(frozen=True)
class _Read:
    """One result as it was given."""

    given: str
    label: str
    folder: Path
    content: Mapping[str, Any]


def _read(given: str) -> _Read:
    label, path = "", Path(given)
    if "=" in given and not path.exists():
        label, _, text = given.partition("=")
        path = Path(text)
    file = path / JSON if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _no_result(given, getattr(error, "strerror", None) or str(error)) from error
    if not isinstance(content, dict) or not {"protocol", "bands", "models"} <= content.keys():
        raise _no_result(given, "it has neither protocol nor models")
    if not content.get("patches"):
        raise _no_result(given, "it has no scored patches")
    if label and len(content["models"]) > 1:
        raise InputError(
            f"one label, {label}, for the {len(content['models'])} models of {path}",
            wanted="a label for a result of one model",
            hint="leave the label out",
            code=ErrorCode.BAD_OPTION,
        )
    return _Read(given, label, file.parent, content)


def _no_result(given: str, reason: str) -> InputError:
    return InputError(
        f"{given} is no result of cloudfree evaluate ({reason})",
        wanted=f"the folder of its -o, or {JSON} in it",
        hint="give such a folder, or LABEL=FOLDER",
        code=ErrorCode.BAD_OPTION,
    )


def _check_comparable(read: Sequence[_Read]) -> None:
    """Refuse results that must not stand in one table."""
    first = read[0]
    for key in ("protocol", "bands", "cover"):
        for other in read[1:]:
            if other.content.get(key) != first.content.get(key):
                raise InputError(
                    f"{key} {_text(first.content.get(key))} in {first.given} and "
                    f"{_text(other.content.get(key))} in {other.given}",
                    wanted=f"results of one {key}",
                    hint="evaluate the models alike",
                    code=ErrorCode.BAD_OPTION,
                )


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _check_new(one: ModelResult, others: Sequence[ModelResult]) -> None:
    if any(other.weights == one.weights for other in others):
        raise InputError(
            f"two results of the same weights of {one.label}",
            wanted="a training with another seed, or another model",
            hint="give each result once",
            code=ErrorCode.BAD_OPTION,
        )


def _models(read: _Read, image: ImageChoice) -> Iterator[ModelResult]:
    method_of = raw_of if image == "raw" else written_of
    for name, weights in read.content["models"].items():
        method = method_of(name)
        training = read.content.get("training", {}).get(name, {})
        yield ModelResult(
            read.label or name,
            weights,
            training.get("seed"),
            {patch["name"]: _score(patch, method) for patch in read.content["patches"]},
            dict(_pictures(read, method)),
        )


def _nothing(read: Sequence[_Read]) -> ModelResult:
    """The cloudy image itself, on the patches of all results."""
    patches = {
        patch["name"]: _score(patch, NOTHING) for one in read for patch in one.content["patches"]
    }
    return ModelResult(NOTHING, "", None, patches, {})


def _score(patch: Mapping[str, Any], method: str) -> PatchScore:
    figures = patch["figures"][method]["all"]
    return PatchScore(
        patch["place"],
        patch["cover"],
        PatchDates(**patch.get("dates", {})),
        {column.field: figures[column.field] for column in COLUMNS},
    )


def _pictures(read: _Read, method: str) -> Iterator[tuple[str, dict[str, Path]]]:
    for patch, files in read.content.get("shown", {}).items():
        names = {"cloudy": "cloudy", "radar": "radar", "truth": "truth", method: "filled"}
        found = {own: read.folder / files[name] for name, own in names.items() if name in files}
        yield patch, found
