"""What is known of a scene's ground: today's clear pixels, other dates, and radar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cloudfree.core.grid import Window
from cloudfree.core.radiometry import Float32


@dataclass(frozen=True)
class ReferenceInfo:
    """Another date of the place: its name, the bands it shares with today, and its age.

    `days` counts from today, negative for earlier dates; None if unknown.
    """

    name: str
    bands: tuple[str, ...]
    days: float | None = None


class Stack(Protocol):
    """A scene and all else that is known of its place, window by window on its grid.

    Arrays are (band, y, x): reflectance, NaN where clouds hide the ground or there is no data;
    radar is VV and VH in dB, or one of them, the same of all dates.
    """

    @property
    def height(self) -> int:
        """Rows of the scene."""
        ...

    @property
    def width(self) -> int:
        """Columns of the scene."""
        ...

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands of the scene, in the order of `today`."""
        ...

    @property
    def references(self) -> tuple[ReferenceInfo, ...]:
        """The other dates."""
        ...

    def today(self, window: Window) -> Float32:
        """Clear pixels of the scene itself."""
        ...

    def reference(self, number: int, window: Window) -> Float32:
        """Clear pixels of another date, in its own bands."""
        ...

    def radar(self, window: Window) -> Float32 | None:
        """Radar of the scene, None if there is none."""
        ...

    def reference_radar(self, number: int, window: Window) -> Float32 | None:
        """Radar of another date, None if there is none."""
        ...


@dataclass(frozen=True)
class ArrayStack:
    """A stack in memory; `radars` has one for each of `others`, None where there is none."""

    bands: tuple[str, ...]
    scene: Float32
    references: tuple[ReferenceInfo, ...] = ()
    others: tuple[Float32, ...] = ()
    radar_db: Float32 | None = None
    radars: tuple[Float32 | None, ...] = ()

    @property
    def height(self) -> int:
        """Rows of the scene."""
        return int(self.scene.shape[1])

    @property
    def width(self) -> int:
        """Columns of the scene."""
        return int(self.scene.shape[2])

    def today(self, window: Window) -> Float32:
        """Clear pixels of the scene itself."""
        return self.scene[:, *window.slices]

    def reference(self, number: int, window: Window) -> Float32:
        """Clear pixels of another date."""
        return self.others[number][:, *window.slices]

    def radar(self, window: Window) -> Float32 | None:
        """Radar of the scene."""
        return None if self.radar_db is None else self.radar_db[:, *window.slices]

    def reference_radar(self, number: int, window: Window) -> Float32 | None:
        """Radar of another date."""
        found = self.radars[number] if self.radars else None
        return None if found is None else found[:, *window.slices]


@dataclass(frozen=True)
class WithoutReferences:
    """A stack as it is without other dates."""

    stack: Stack
    references: tuple[ReferenceInfo, ...] = ()

    @property
    def height(self) -> int:
        """Rows of the scene."""
        return self.stack.height

    @property
    def width(self) -> int:
        """Columns of the scene."""
        return self.stack.width

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands of the scene."""
        return self.stack.bands

    def today(self, window: Window) -> Float32:
        """Clear pixels of the scene itself."""
        return self.stack.today(window)

    def reference(self, number: int, window: Window) -> Float32:
        """There is none."""
        raise IndexError(number)

    def radar(self, window: Window) -> Float32 | None:
        """Radar of the scene, None if there is none."""
        return self.stack.radar(window)

    def reference_radar(self, number: int, window: Window) -> Float32 | None:
        """There is none."""
        raise IndexError(number)
