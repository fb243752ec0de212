"""The commands as functions: paths in, typed results out.

Each is imported, with what it needs, when it is first used. The keywords are the fields of the
options of its command, with the same defaults.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, get_args, get_type_hints

from cloudfree.core.choices import (
    CoverOf,
    DetectorName,
    FillBy,
    Precision,
    ProtocolName,
    Replace,
    Resampling,
    SarUnitsChoice,
    ScoreDtype,
    ShiftMode,
    mask_path,
)
from cloudfree.core.terminal import Progress, silent
from cloudfree.errors import ErrorCode, InputError

if TYPE_CHECKING:
    from cloudfree.commands.coregister.options import CoregisterResult
    from cloudfree.commands.evaluate.result import Evaluation
    from cloudfree.commands.mask.options import MaskResult
    from cloudfree.commands.remove.options import RemoveResult
    from cloudfree.inference.model import Model

StrPath = str | os.PathLike[str]


class MaskRules(TypedDict, total=False):
    """What decides the classes of a mask, as `MaskSettings` has it."""

    detector: DetectorName
    threshold: float | None
    ndsi: float
    sensitive: bool
    shadow: bool
    dilate: str


class _OutputKeywords(TypedDict, total=False):
    """What every command has that reads a Sentinel-2 scene and writes a raster."""

    output: StrPath | None
    s2_offset: float | None
    resampling: Resampling
    allow_remote: bool
    bbox: tuple[float, float, float, float] | None
    aoi: StrPath | None
    overwrite: bool
    creation_options: Mapping[str, str]


class MaskKeywords(MaskRules, _OutputKeywords, total=False):
    """Those of `MaskOptions`."""

    sun_azimuth: float | None
    score: StrPath | None
    score_dtype: ScoreDtype
    qml: bool
    stac: bool


class _SarKeywords(TypedDict, total=False):
    """How Sentinel-1 comes to the grid of the optical scene."""

    shift: ShiftMode
    max_shift: float
    s1_units: SarUnitsChoice
    dem: StrPath | None
    max_gap: float
    s1_date: datetime | None
    s2_date: datetime | None


class CoregisterKeywords(_SarKeywords, _OutputKeywords, total=False):
    """Those of `CoregisterOptions`."""

    quicklook: StrPath | None
    stac: bool
    dry_run: bool


class RemoveKeywords(_SarKeywords, _OutputKeywords, total=False):
    """Those of `RemoveOptions`."""

    model: StrPath
    network: str | None
    mask: StrPath | None
    mask_threshold: float | None
    report: StrPath | None
    replace: Replace
    fill_by: FillBy
    detector: DetectorName
    dilate: str | None
    adapt: bool
    tile: int | None
    overlap: int | None
    batch_size: int | None
    device: str
    precision: Precision
    uncertainty: bool
    write_mask: bool
    qml: bool
    stac: bool
    dry_run: bool
    strict: bool
    sun_azimuth: float | None
    plugin: StrPath | Sequence[StrPath]
    references: StrPath | Sequence[StrPath]
    reference_s1: StrPath | Sequence[StrPath]
    max_references: int
    max_age: float | None
    require_references: bool
    any_level: bool


class EvaluateKeywords(TypedDict, total=False):
    """Those of `EvaluateOptions`."""

    network: str | None
    split: str | None
    hold_out: tuple[str, ...]
    protocol: ProtocolName
    limit: int | None
    cover: CoverOf
    bins: int
    per_bin: int | None
    seed: int
    dates: int | None
    patch: int
    groups: StrPath | None
    uncertainty: bool
    s2_offset: float | None
    allow_remote: bool
    output: StrPath | None
    pictures: int
    show: tuple[str, ...]
    plugin: StrPath | Sequence[StrPath]
    device: str
    precision: Precision
    overwrite: bool


def mask(
    scene: StrPath, *, progress: Progress | None = None, **options: Unpack[MaskKeywords]
) -> MaskResult:
    """Write the mask of clouds, shadows and snow of a Sentinel-2 scene, as `cloudfree mask`.

    Raises
    ------
    CloudfreeError
        The scene cannot be used, or an output cannot be written.
    """
    from cloudfree.commands.mask.options import MaskOptions
    from cloudfree.commands.mask.run import run

    given = checked_keywords(MaskKeywords, options)
    return run(MaskOptions(scene=Path(scene), **given), progress or silent)


def coregister(
    s1: StrPath | Sequence[StrPath],
    s2: StrPath,
    *,
    progress: Progress | None = None,
    **options: Unpack[CoregisterKeywords],
) -> CoregisterResult:
    """Write Sentinel-1 in dB on the grid of a Sentinel-2 scene, as `cloudfree coregister`.

    `s1` is one scene, or several slices of one pass.

    Raises
    ------
    CloudfreeError
        The scenes do not meet or cannot be read, or an output cannot be written.
    """
    from cloudfree.commands.coregister.options import CoregisterOptions
    from cloudfree.commands.coregister.run import run

    given = checked_keywords(CoregisterKeywords, options)
    return run(CoregisterOptions(s1=_paths(s1), s2=Path(s2), **given), progress or silent)


def remove(
    s1: StrPath | Sequence[StrPath] | None,
    s2: StrPath,
    *,
    progress: Progress | None = None,
    **options: Unpack[RemoveKeywords],
) -> RemoveResult:
    """Write a cloud-free scene, as `cloudfree remove`; `s1` is None for models without Sentinel-1.

    Several slices of one pass may be given as `s1`.

    `mask` is a path, or "scl" for the scene classification of the product. `references` are other
    dates of the place, paths or one path; with them `s1` may be None for any model.

    Raises
    ------
    CloudfreeError
        Inputs do not fit each other or the model, or an output cannot be written.
    """
    from cloudfree.commands.remove.options import RemoveOptions
    from cloudfree.commands.remove.run import run

    given = checked_keywords(RemoveKeywords, options)
    if "model" in given:
        given["model"] = os.fspath(given["model"])
    radar = () if s1 is None else _paths(s1)
    return run(RemoveOptions(s1=radar, s2=Path(s2), **given), progress or silent)


def evaluate(
    data: StrPath,
    model: StrPath | Sequence[StrPath],
    *,
    progress: Progress | None = None,
    **options: Unpack[EvaluateKeywords],
) -> Evaluation:
    """Score one or several models on a data set with clear images, as `cloudfree evaluate`.

    Raises
    ------
    CloudfreeError
        No patch can be scored, a model cannot be loaded, or an output cannot be written.
    """
    from cloudfree.commands.evaluate.options import EvaluateOptions
    from cloudfree.commands.evaluate.run import run

    models = [model] if isinstance(model, (str, os.PathLike)) else model
    names = tuple(os.fspath(name) for name in models)
    given = checked_keywords(EvaluateKeywords, options)
    return run(EvaluateOptions(data=Path(data), model=names, **given), progress or silent)


def load_model(
    name: StrPath,
    *,
    device: str = "auto",
    precision: Precision = "auto",
    network: str | None = None,
    plugin: StrPath | Sequence[StrPath] = (),
) -> Model:
    """The model of that name, folder, checkpoint or ONNX file, ready to predict.

    `network` decides where the tensors of a bare checkpoint fit several networks; `plugin` are
    Python files with networks of your own, which are run.

    Raises
    ------
    ModelError
        There is no such model, its weights do not fit its network, or there is no such device.
    """
    from cloudfree.inference.load import load_model as load
    from cloudfree.inference.registry import load_plugins

    load_plugins(_paths(plugin))
    return load(os.fspath(name), device, precision, network)


# Keywords that name files, and those of them that name one or several.
_SEVERAL = frozenset({"references", "reference_s1", "plugin"})
_FILES = _SEVERAL | {"output", "score", "dem", "quicklook", "mask", "report", "groups", "aoi"}


def checked_keywords(known: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keywords as the options of a command take them: files as `Path`, choices among those listed.

    Raises
    ------
    TypeError
        A keyword that `known`, a TypedDict, does not have.
    InputError
        A value that is none of the choices.
    """
    hints = get_type_hints(known)
    if unknown := sorted(given.keys() - hints.keys()):
        raise TypeError(f"unexpected keyword {unknown[0]!r}; known are {', '.join(sorted(hints))}")
    for name, value in given.items():
        _check_choice(name, value, hints[name])
    return {name: _value(name, value) for name, value in given.items()}


def _value(name: str, value: Any) -> Any:
    if name not in _FILES or value is None:
        return value
    if name in _SEVERAL:
        return _paths(value)
    return mask_path(os.fspath(value)) if name == "mask" else Path(value)


def _paths(given: StrPath | Sequence[StrPath]) -> tuple[Path, ...]:
    """One path or several."""
    return tuple(map(Path, [given] if isinstance(given, (str, os.PathLike)) else given))


def _check_choice(name: str, value: Any, hint: Any) -> None:
    """Refuse a value that is none of those of a `Literal`, with or without None."""
    options = (hint, *get_args(hint))
    choices = [choice for one in options for choice in get_args(one) if isinstance(choice, str)]
    if choices and value is not None and value not in choices:
        raise InputError(
            f"{name}={value!r}",
            wanted=f"one of {', '.join(choices)}",
            hint=f"correct {name}",
            code=ErrorCode.BAD_OPTION,
        )
