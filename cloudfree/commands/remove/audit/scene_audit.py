"""The audit of one result: fed with its rows as they are made, asked when all are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cloudfree.commands.remove.audit.colours import ColourSample, unlike_radar
from cloudfree.commands.remove.audit.finding import Finding, FindingCode
from cloudfree.commands.remove.audit.kept_pixels import changed, impossible
from cloudfree.commands.remove.audit.samples import SampleWindow, sample_windows
from cloudfree.commands.remove.audit.sharpness import BRIGHT_BANDS, SHARP_BANDS, Sharpness
from cloudfree.commands.remove.audit.texture import Texture
from cloudfree.commands.remove.cloudy_scene import FillSource
from cloudfree.commands.remove.filling import Fill, OutputRows
from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32
from cloudfree.errors import BrokenResultError

Backscatter = Callable[[Window], Float32]

# Share of the filled pixels that may be beyond all reflectance: a regression may overshoot on one
# roof, a broken model does so everywhere.
MOST_IMPOSSIBLE = 1e-3
# Bands that are looked at: the first of these that there is for texture, all for colour.
TEXTURE_BANDS, COLOUR_BANDS = ("B04", "B03", "B02", "B08"), ("B02", "B03", "B04", "B08")
# Rows of the scene that colours and sharpness are taken from, evenly spread.
SAMPLED_ROWS = 128
# Of 59 good results, simulated and real, all or all but one keep these (docs/experiments.md).
MOST_GAP, MOST_LINE, MOST_WEAVE, MOST_FOREIGN, MOST_UNLIKE = 2.5, 4.0, 0.4, 0.3, 1.5
# A mask of more than this share of a scene is doubted if the ground below is as sharp as this.
LARGE_MASK, MOST_SHARP = 0.5, 0.85


@dataclass
class SceneAudit:
    """What is seen of a result, whose rows come from top to bottom.

    `radar` gives the backscatter of a window, (polarisation, y, x) in dB and smoothed, None without
    Sentinel-1.
    """

    optical: FillSource
    texture: Texture
    windows: tuple[SampleWindow, ...]
    radar: Backscatter | None = None
    colours: ColourSample = field(default_factory=ColourSample)
    sharpness: Sharpness = field(default_factory=Sharpness)
    next_row: int = 0
    valid: int = 0
    masked: int = 0
    filled: int = 0
    impossible: int = 0

    @classmethod
    def of_scene(cls, optical: FillSource, radar: Backscatter | None = None) -> Self:
        """The audit of the result of a scene."""
        grid, bands = optical.grid, len(optical.descriptions)
        windows = sample_windows(grid, bands, optical.radiometry.dtype)
        return cls(optical, Texture.of_size(grid.height, grid.width), windows, radar)

    def add(self, before: NDArray[np.generic], fill: Fill, rows: OutputRows) -> None:
        """Look at finished rows; `before` are those of the scene, (band, y, x) in its numbers.

        Raises
        ------
        BrokenResultError
            Rows come twice or not at all, a pixel changed that had to stay, or one lost its data.
        """
        self._check_rows(rows.window)
        self._check_kept(before, rows)
        clear = rows.valid & ~rows.to_fill
        self.valid += int(np.count_nonzero(rows.valid))
        self.masked += int(np.count_nonzero(rows.to_fill))
        self.filled += int(np.count_nonzero(rows.filled))
        self.impossible += impossible(fill.mean, rows.filled)
        for window in self.windows:
            window.add(rows.window, rows.pixels, rows.filled, clear)
        self._add_texture(rows, clear)
        self._add_sample(before, rows, clear)

    def _check_rows(self, window: Window) -> None:
        if (window.row, window.col, window.width) != (self.next_row, 0, self.optical.grid.width):
            raise _broken(f"rows {window.row} to {window.row_stop} after row {self.next_row}")
        self.next_row = window.row_stop

    def _check_kept(self, before: NDArray[np.generic], rows: OutputRows) -> None:
        where = changed(before, rows.pixels) & ~rows.filled
        if number := int(np.count_nonzero(where)):
            raise _broken(f"{number} pixels changed that are not filled")
        lost = rows.valid != self.optical.radiometry.valid(rows.pixels)
        if number := int(np.count_nonzero(lost)):
            raise _broken(f"{number} filled pixels are no reflectance or nodata")

    def _add_texture(self, rows: OutputRows, clear: NDArray[np.bool_]) -> None:
        if band := _first(TEXTURE_BANDS, self.optical.bands):
            self.texture.add(rows.window.row, self._plane(rows.pixels, band), rows.filled, clear)

    def _add_sample(
        self, before: NDArray[np.generic], rows: OutputRows, clear: NDArray[np.bool_]
    ) -> None:
        step = max(self.optical.grid.height // SAMPLED_ROWS, 1)
        some = slice(-rows.window.row % step, None, step)
        sharp, bright = (_first(bands, self.optical.bands) for bands in (SHARP_BANDS, BRIGHT_BANDS))
        if sharp and bright:
            plane, level = (self._plane(before[:, some], band) for band in (sharp, bright))
            self.sharpness.add(plane, level, rows.to_fill[some], clear[some])
        thin = (some, slice(None, None, step))
        planes = self._planes(rows.pixels[:, *thin])
        if len(planes) > 1:
            self.colours.add(planes, rows.filled[thin], clear[thin])

    def _plane(self, pixels: NDArray[np.generic], band: str) -> Float32:
        optical = self.optical
        return optical.radiometry.reflectance(pixels[optical.positions[band]])

    def _planes(self, pixels: NDArray[np.generic]) -> Float32:
        bands = [band for band in COLOUR_BANDS if band in self.optical.positions]
        planes = [self._plane(pixels, band) for band in bands]
        return np.stack(planes) if planes else np.zeros((0, 0, 0), np.float32)

    def check(self) -> None:
        """Check what is known only of the whole.

        Raises
        ------
        BrokenResultError
            Rows are missing, or filled pixels are beyond all reflectance.
        """
        if self.next_row != self.optical.grid.height:
            raise _broken(f"{self.next_row} of {self.optical.grid.height} rows")
        if self.impossible > MOST_IMPOSSIBLE * self.filled:
            raise _broken(
                f"{self.impossible / self.filled:.1%} of the filled pixels have reflectance that "
                "no ground has",
                hint="choose another model with --model, or leave it out with --fill-by scene",
            )

    def findings(self) -> tuple[Finding, ...]:
        """What is doubtful about the result."""
        return tuple(one for one in self._judged() if one.measured > one.limit)

    def _judged(self) -> Iterator[Finding]:
        """Every doubt, with its figure."""
        texture, foreign = self.texture, self.colours.foreign
        share = self.masked / max(self.valid, 1)
        step = max(texture.gap_step / MOST_GAP, texture.line_step / MOST_LINE)
        yield Finding(
            FindingCode.SEAM,
            f"filled ground has a seam: its steepest edge, of the gaps, a row or a column, is "
            f"{step:.1f} times as steep as in good results",
            step,
            1.0,
        )
        yield Finding(
            FindingCode.WEAVE,
            f"filled ground has a weave: {texture.weave:.0%} of its texture alternates from pixel "
            "to pixel",
            texture.weave,
            MOST_WEAVE,
        )
        yield Finding(
            FindingCode.COLOUR_CAST,
            f"{foreign:.0%} of the filled ground has colours that no clear ground of the scene has",
            foreign,
            MOST_FOREIGN,
        )
        sharp = self.sharpness.ratio if share > LARGE_MASK else 0.0
        yield Finding(
            FindingCode.LARGE_MASK,
            f"the mask takes {share:.0%} of the scene, and what it hides is as sharp as clear "
            "ground: it may be no cloud; look at the mask",
            sharp,
            MOST_SHARP,
        )
        unlike = self._unlike_radar()
        yield Finding(
            FindingCode.UNLIKE_RADAR,
            f"filled ground differs from clear ground of like backscatter by {unlike:.1f} standard "
            "deviations of it",
            unlike,
            MOST_UNLIKE,
        )

    def _unlike_radar(self) -> float:
        if self.radar is None:
            return 0.0
        parts: list[list[Float32]] = [[], [], [], []]
        for one in self.windows:
            if not (one.filled.any() or one.clear.any()):
                continue
            backscatter = self.radar(one.window)
            seen, planes = np.isfinite(backscatter).all(axis=0), self._planes(one.pixels)
            filled, clear = one.filled & seen, one.clear & seen
            found = (planes[:, filled], planes[:, clear], backscatter[:, filled],
                     backscatter[:, clear])  # fmt: skip
            for part, some in zip(parts, found, strict=True):
                part.append(some)
        if not parts[0]:
            return 0.0
        return unlike_radar(*(np.concatenate(part, axis=1) for part in parts))


def _first(wanted: tuple[str, ...], there: tuple[str, ...]) -> str | None:
    return next((band for band in wanted if band in there), None)


def _broken(
    found: str, hint: str = "nothing is written; report this with the output of -v"
) -> BrokenResultError:
    return BrokenResultError(found, wanted="a result that passes its audit", hint=hint)
