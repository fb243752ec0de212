"""Words that the glossary of docs/contributing.md retired do not come back."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cloudfree.cli.group import group

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "cloudfree"

# Module or package -> the word to use instead.
MODULES = {
    "turns": "dihedral", "marks": "fill_mask", "halving": "downsample", "shard": "sharding",
    "own_process": "workers", "freed_memory": "malloc", "kept_warnings": "log_capture",
    "write_behind": "async_writer", "rolling_rows": "row_buffer", "card_text": "card_toml",
    "survey": "scene_statistics", "classify": "classifier", "cast": "shadow_projection",
    "growth": "morphology", "rolling": "strip_halo", "kept_classes": "class_cache",
    "sunlit": "clear_sky", "soft_edge": "feathering", "shadow_rim": "shadow_under_dilation",
    "sun": "sun_geometry", "matches": "tie_points", "rim": "edge_fill",
    "outliers": "robust_weights", "spectra": "fft", "estimate": "global_shift",
    "correlate": "phase_correlation", "displacement_fit": "displacement_model",
    "clear_blocks": "clear_windows", "gap": "time_gap", "match_picture": "quicklook",
    "restoration": "removal_scene", "mask_sun": "sun_geometry", "notes": "log_filter",
    "donors": "real_clouds", "adapt_ground": "clear_samples", "adapt_veils": "cloud_samples",
    "beginning": "initialisation", "recipe": "settings",
    "kernels": "cuda", "batches": "sampler", "patches": "patch_cache", "objectives": "losses",
    "lesson": "adaptation examples", "shelf": "model_store", "catalogue": "registry",
    "golden": "reference arrays", "spread": "test_time_augmentation", "lots": "land_use",
    "gpu_stream": "cuda_streams", "clouded": "add_clouds", "sky": "atmosphere",
    "countryside": "scene", "fields": "cropland", "town": "settlements",
    "materials": "land_cover_spectra", "veil": "cloud_transplant", "quiet": "warnings_filter",
    "rectangle": "windows", "whole_file": "atomic", "spread_sample": "sample_windows",
    "valid_edge": "border_noise", "field_sampling": "resample", "bottleneck": "kl_divergence",
    "probe": "file_numbers", "find": "detect_product", "band_stack": "vrt",
    "pixel_and_structure": "l1_ssim", "joint_objective": "ib_hfn_loss", "means": "bootstrap",
    "chapter": "scene_section", "markup": "html", "arrows": "arrow_plot",
    "radar_of_scene": "match_sentinel1",
}  # fmt: skip
# Classes.
TYPES = {
    "Seen": "LossInput", "Objective": "LossSpec", "Lesson": "AdaptationExample",
    "Ground": "ClearSample", "Veil": "CloudTransplant", "Learner": "ModelAndOptimizer",
    "Run": "TrainState", "Plan": "TrainPlan", "Session": "Trainer",
    "Part": "Sample", "Spread": "TestTimeAugmentation", "Turn": "DihedralTransform",
    "Survey": "SceneStatistics", "Surroundings": "CloudMargin", "Cast": "ShadowProjection",
    "Matches": "TiePoints", "Estimate": "ShiftEstimate", "Fit": "DisplacementFit",
    "Measurement": "CoregistrationResult", "Radar": "SarSource", "Mark": "FillClass",
    "Restoration": "RemovalScene", "RestoredRows": "OutputRows",
    "Recognised": "IdentifiedCheckpoint", "Agreement": "OnnxParity", "Figures": "Metrics",
    "Chapter": "SceneSection", "Weather": "CloudParameters", "Sky": "Atmosphere",
    "Lots": "Parcels", "Cover": "LandCover", "Kind": "say of what, as CloudKind",
    "Pixels": "say which, as RasterArray",
}  # fmt: skip
# Functions, arguments, attributes and variables.
NAMES = {
    "obscured": "is_cloud_or_shadow", "undisturbed": "far_from_clouds",
    "settle_maybes": "resolve_thin_cloud", "tell_sun": "log_sun", "told_by": "network_variance",
    "surest": "most_reliable", "refusal": "rejection_reason", "side_by_side": "parallel_batches",
    "fitting_batches": "halve_on_oom", "share_out": "split_threads",
    "share_heaps": "limit_malloc_arenas", "give_back_freed_memory": "malloc_trim",
    "take_step": "train_step", "get_used_to": "fit_normalisation",
    "seen_through": "apply_atmosphere", "lay_out": "divide_into_parcels",
    "settings_from": "infer_settings", "output_places": "output_indices", "rim_px": "edge_px",
    "loudness": "backscatter_offset_db", "hanging": "connected_to_edge",
    "closed_if_refused": "closed_on_error", "untorn": "unwrapped_longitudes",
    "heard": "evidence", "told": "known, stated or reason", "talkers": "loggers",
    "thorough": "sensitive",
}  # fmt: skip
REFUSE = re.compile(r"_?refuse_\w+")
# Prose, whatever its case.
PROSE = {
    "restored": "filled", "reconstructed": "filled", "freed of": "removed", "witness": "evidence",
    "witnesses": "evidence", "nobody": "None, or no ...", "whoever": "who does it",
    "nothing is wrong": "OK", "least score": "minimum score",
}  # fmt: skip
PROSE_RULE = re.compile(r"\b(" + "|".join(sorted(PROSE, key=len, reverse=True)) + r")\b", re.I)
# Where words are quoted, or belong to the published names of others.
QUOTED = ("docs/contributing.md", "docs/experiments.md")

Finding = tuple[str, str, str]  # place, word, the word to use instead


def _sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def _retired_modules() -> Iterator[Finding]:
    for path in _sources():
        if better := MODULES.get(path.stem):
            yield _place(path, 1), path.stem, better


def _retired_names() -> Iterator[Finding]:
    for path in _sources():
        text = path.read_text(encoding="utf-8")
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type != tokenize.NAME:
                continue
            word = token.string.lstrip("_")
            better = TYPES.get(word) or NAMES.get(word)
            if not better and REFUSE.fullmatch(token.string):
                better = "check_* or require_*"
            if better:
                yield _place(path, token.start[0]), token.string, better


def _prose(path: Path, text: str, first_line: int = 1) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines()):
        for found in PROSE_RULE.finditer(line):
            word = found[0].lower()
            yield _place(path, first_line + number), found[0], PROSE[word]


def _retired_in_docstrings() -> Iterator[Finding]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = ast.get_docstring(node, clean=False) if isinstance(node, kinds) else None
            if text is not None:
                yield from _prose(path, text, node.body[0].lineno)  # type: ignore[union-attr]


def _retired_in_documents() -> Iterator[Finding]:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        if str(path.relative_to(ROOT)) not in QUOTED:
            yield from _prose(path, path.read_text(encoding="utf-8"))


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            if found is not None:
                yield from _commands(found, f"{name} {sub}")


def _retired_in_help() -> Iterator[Finding]:
    for name, command in _commands(group, "cloudfree"):
        text = command.get_help(click.Context(command, info_name=name))
        for found in PROSE_RULE.finditer(" ".join(text.split())):
            yield f"{name} --help", found[0], PROSE[found[0].lower()]


@pytest.mark.parametrize(
    "search",
    [
        _retired_modules,
        _retired_names,
        _retired_in_docstrings,
        _retired_in_documents,
        _retired_in_help,
    ],
    ids=["modules", "names", "docstrings", "documents", "help"],
)
def test_retired_words_do_not_come_back(search: object) -> None:
    found = [f"{place}: {word}, better: {better}" for place, word, better in search()]  # type: ignore[operator]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "word"),
    [("Pixels are restored.", "restored"), ("Whoever reads it", "Whoever"), ("unrestored", None)],
)
def test_prose_is_found_by_whole_words(text: str, word: str | None) -> None:
    assert [found for _, found, _ in _prose(ROOT / "README.md", text)] == ([word] if word else [])
