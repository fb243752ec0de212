"""What a reference has to be: reasons to leave a date out, the cheapest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cloudfree.commands.options import ReferenceOptions
from cloudfree.commands.remove.references.coarse_ground import Bits, CoarseGround
from cloudfree.core.acquisition import Acquisition
from cloudfree.core.dated_names import dated
from cloudfree.raster.warp import covered_share, placed
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.sentinel2.product import Level, OpticalProduct

# Smallest share of a scene's ground that a reference covers, and that it shows clear.
MIN_COVERED = 0.01
MIN_CLEAR = 0.02

NOTHING_HIDDEN = "shows nothing of what clouds hide in the scene"


def days_between(here: Acquisition, there: Acquisition) -> float | None:
    """Days from one to the other, negative for earlier dates; None if one is not dated."""
    if here.acquired is None or there.acquired is None:
        return None
    return (there.acquired - here.acquired) / timedelta(days=1)


def by_date(here: Acquisition, there: Acquisition, max_age: float | None) -> str | None:
    """A reason not to use a date for a scene that is known from both; undated ones have none."""
    days = days_between(here, there)
    if days is None:
        return None
    assert here.acquired and there.acquired
    if here.acquired.date() == there.acquired.date():
        return "is of the day of the scene"
    if max_age is not None and abs(days) > max_age:
        return f"is {abs(days):.0f} days from the scene, more than --max-age {max_age:g}"
    return None


@dataclass(frozen=True)
class Gates:
    """What dates have to be for a scene; each gate gives a reason to leave one out, or None."""

    today: OpticalScene
    options: ReferenceOptions

    def days(self, acquisition: Acquisition) -> float | None:
        """Days from the scene, negative for earlier dates; None if one is not dated."""
        return days_between(self._here, acquisition)

    @property
    def _here(self) -> Acquisition:
        return dated(self.today.acquisition, self.today.path)

    def by_metadata(self, path: Path, product: OpticalProduct) -> str | None:
        """By what is known before a pixel is read."""
        if path.resolve() == self.today.path.resolve():
            return "is the scene itself"
        there = dated(product.acquisition, path)
        return by_date(self._here, there, self.options.max_age) or self._by_level(product.level)

    def by_scene(self, scene: OpticalScene) -> str | None:
        """By what an open scene is: its level, its numbers, its bands, its place."""
        return (
            self._by_level(scene.level)
            or self._by_numbers(scene)
            or (None if self.shared(scene) else f"has no band of {self.today.name}")
            or self._by_place(scene)
        )

    def shared(self, scene: OpticalScene) -> tuple[str, ...]:
        """The bands of both scenes, in the order of today's."""
        return tuple(band for band in self.today.bands if band in scene.positions)

    @staticmethod
    def by_ground(ground: CoarseGround, clear: Bits) -> str | None:
        """By what a date shows of the ground, (y, x)."""
        share = ground.clear_share(clear)
        if share < MIN_CLEAR:
            return f"shows {share:.1%} of the scene's ground, the rest is cloud or missing"
        return None if ground.fills_share(clear) else NOTHING_HIDDEN

    def _by_level(self, level: Level | None) -> str | None:
        here = self.today.level
        if self.options.any_level or level is None or here is None or level == here:
            return None
        return f"is {level} and the scene {here}, which --any-level allows"

    def _by_numbers(self, scene: OpticalScene) -> str | None:
        if scene.is_picture == self.today.is_picture:
            return None
        words = "an 8-bit picture", "reflectance"
        one, other = words if scene.is_picture else words[::-1]
        return f"is {one} and the scene {other}"

    def _by_place(self, scene: OpticalScene) -> str | None:
        source = placed(scene.grid, self.today.grid)
        if source is None:
            return "has another size than the scene, and one of them has no coordinate system"
        if covered_share(self.today.grid, source) < MIN_COVERED:
            return "shows another place"
        return None
