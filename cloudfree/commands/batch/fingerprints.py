"""From what a result was made: the state of its inputs and the options, as `batch.jsonl` has them.

A fingerprint is cheap: of files it takes size and time of change, not their pixels.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from cloudfree.commands.batch.options import BatchOptions
from cloudfree.commands.batch.workers import SceneJob
from cloudfree.commands.options import ReferenceLimits
from cloudfree.commands.remove.options import RemovalOptions
from cloudfree.core.addresses import collection_of
from cloudfree.core.batch_log import last_records
from cloudfree.core.choices import SCL
from cloudfree.inference.model_card import ModelCard

# Options that say where, how fast and over what a scene is filled, not with which pixels.
_WITHOUT_EFFECT = {"allow_remote", "device", "batch_size", "overwrite", "dry_run", "masks"}
# Inputs, which stand by their files.
_FILES = {"mask", "dem", "aoi", "plugin"}

_DIGITS = 16


@dataclass(frozen=True)
class Fingerprint:
    """Digests of the inputs by their role, and of the options; `references` by name."""

    options: str
    inputs: Mapping[str, str]
    references: Mapping[str, str] = field(default_factory=dict)

    def record(self, used: Iterable[str]) -> dict[str, Any]:
        """The entries of the log for a scene that was filled from these references."""
        references = {name: self.references[name] for name in used if name in self.references}
        return {
            "options_digest": self.options,
            "input_digests": dict(self.inputs),
            "reference_digests": references,
        }

    def difference(self, record: Mapping[str, Any]) -> str:
        """What differs from the entries of a log, in a few words; empty if nothing does.

        A reference that is gone, or one that has come, is no difference: a folder to which dates
        are added does not grow old.
        """
        if record["options_digest"] != self.options:
            return "with other options"
        recorded = record["input_digests"]
        roles = sorted({*recorded, *self.inputs})
        changed = [role for role in roles if recorded.get(role) != self.inputs.get(role)]
        changed += [
            f"reference {name}"
            for name, digest in record["reference_digests"].items()
            if self.references.get(name, digest) != digest
        ]
        return f"from another {' and '.join(changed)}" if changed else ""


def fingerprints(
    jobs: Iterable[SceneJob], options: BatchOptions, card: ModelCard
) -> dict[str, Fingerprint]:
    """The fingerprints of scenes by their names, as their files are now."""
    of_path = cache(_of_path)  # scenes of a place have the same references
    return {job.name: _fingerprint(job, options, card, of_path) for job in jobs}


def _fingerprint(
    job: SceneJob, options: BatchOptions, card: ModelCard, of_path: Callable[[Path], str]
) -> Fingerprint:
    scene = job.options
    own = {"s2": scene.s2, "s1": job.s1, "mask": scene.mask, "dem": scene.dem,
           "aoi": scene.aoi, **{f"plugin {one.name}": one for one in scene.plugin}}  # fmt: skip
    inputs = {role: of_path(path) for role, path in own.items() if isinstance(path, Path)}
    references = dict(zip(job.others, map(of_path, scene.references), strict=False))
    return Fingerprint(_of_options(job, options, card), inputs, references)


def _of_options(job: SceneJob, options: BatchOptions, card: ModelCard) -> str:
    names = {one.name for kind in (RemovalOptions, ReferenceLimits) for one in fields(kind)}
    values = {name: getattr(options, name) for name in names - _WITHOUT_EFFECT - _FILES}
    values |= {
        "references": options.references,
        "own_mask": job.options.mask == SCL,
        "model": card.weights_sha256 or card.name,
    }
    return _digest(json.dumps(values, sort_keys=True, default=str))


def _of_path(path: Path) -> str:
    """Of a folder all files; of a name that only GDAL knows, the name."""
    if (file := collection_of(path)) != path and file.exists():  # an item of a collection
        return _digest(f"{path} {_of_path(file)}")
    if not path.exists():
        return _digest(str(path))
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    found = [(one, one.stat()) for one in files]
    state = [(str(one.relative_to(path)), s.st_size, s.st_mtime_ns) for one, s in found]
    return _digest(json.dumps(state))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def read_records(folder: Path) -> dict[str, dict[str, Any]]:
    """The last record of each scene that was filled, in the logs of a folder of results."""
    return last_records(folder, lambda record: record["state"] == "filled" and _is_whole(record))


_KEYS = {"options_digest", "input_digests", "reference_digests"}


def _is_whole(record: Mapping[str, Any]) -> bool:
    return record.keys() >= _KEYS
