"""Every message that the document on troubleshooting quotes is one that cloudfree prints."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from click.testing import CliRunner

from cloudfree.cli.group import group
from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from tests.conftest import ROOT
from tests.factories.rasters import (
    cloudy_scene,
    write_cloudy_scene,
    write_radar,
    write_raster,
)

DOCUMENT = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
FAR = Affine(10, 0, 550_000, 0, -10, 4_500_000)
NUMBERS, _ = cloudy_scene(96, 96)
BACKSCATTER = np.random.default_rng(1).normal(-14, 2, (2, 96, 96)).astype(np.float32)
POWER = 10 ** (BACKSCATTER / 10)

Files = Callable[[], list[str]]


def _s2(numbers: np.ndarray, *names: str | None) -> list[str]:
    """A run on another Sentinel-2 scene."""
    path = write_raster(Path("odd.tif"), numbers, names or OPTICAL_BANDS)
    return ["remove", "--s1", "s1.tif", "--s2", str(path)]


def _s1(numbers: np.ndarray, *names: str | None, **kind: object) -> list[str]:
    """A run on another Sentinel-1 scene."""
    path = write_raster(Path("odd.tif"), numbers, names or SAR_BANDS, **kind)
    return ["remove", "--s1", str(path), "--s2", "s2.tif"]


def _usual(*more: str) -> list[str]:
    return ["remove", "--s1", "s1.tif", "--s2", "s2.tif", *more]


# What is quoted, and the command line that prints it.
PROVOKED: dict[str, Files] = {
    "the radiometric offset of ... is not known": lambda: _s2(np.full_like(NUMBERS, 6000)),
    "bands without names of Sentinel-2 bands": lambda: _s2(NUMBERS[:4], *[None] * 4),
    "no band B08": lambda: _s2(NUMBERS[1:4], "B02", "B03", "B04"),
    "8-bit numbers in": lambda: _s2((NUMBERS / 50).astype(np.uint8)),
    "as of per cent": lambda: _s2((NUMBERS / 100).astype(np.float32)),
    "these look swapped": lambda: ["remove", "--s1", "s2.tif", "--s2", "s1.tif"],
    "no Sentinel-1 scene": lambda: ["remove", "--s2", "s2.tif"],
    "one VV and one VH band, or one of them": lambda: _s1(BACKSCATTER, "HH", "HV"),
    "uncalibrated digital numbers": lambda: _s1((1000 * np.sqrt(POWER)).astype(np.uint16)),
    "complex numbers in": lambda: _s1(POWER.astype(np.complex64)),
    "does not meet Sentinel-2": lambda: _s1(BACKSCATTER, transform=FAR),
    "no coordinate system in one of the scenes": lambda: _s1(BACKSCATTER[:, :80], crs=None),
    "days between Sentinel-1": lambda: _usual("--s1-date", "2021-01-01", "--s2-date", "2021-06-01"),
    "has no pixel of": lambda: _usual("--bbox", "50,10,51,11"),
    "no Sentinel-2 bands in folder": lambda: ["remove", "--s1", "s1.tif", "--s2", "."],
    "exists already": lambda: _usual("-o", "s2_mask.tif"),
    "nothing to fill": lambda: _s2(np.full_like(NUMBERS, 800)),
    "shift of Sentinel-1: not reliable": _usual,
    "the first band of ... is ... darker than the second": lambda: _s1(
        BACKSCATTER + np.reshape([-6.0, 0.0], (2, 1, 1)).astype(np.float32), None, None
    ),
}


def _quoted() -> set[str]:
    """Headings that are a message, without those of options."""
    headings = re.findall(r"^### `([^`]+)`$", DOCUMENT, flags=re.MULTILINE)
    return {heading for heading in headings if not heading.startswith("--")}


def test_every_message_that_is_quoted_is_provoked_below() -> None:
    assert _quoted() == set(PROVOKED)


@pytest.mark.parametrize("quoted", PROVOKED)
def test_the_message_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quoted: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_cloudy_scene(Path("s2.tif"))
    write_cloudy_scene(Path("s2_mask.tif"))
    write_radar(Path("s1.tif"))
    done = CliRunner().invoke(group, [*PROVOKED[quoted](), "--device", "cpu"])
    pattern = ".*".join(re.escape(part) for part in quoted.split("..."))
    assert re.search(pattern, done.stderr), done.stderr
