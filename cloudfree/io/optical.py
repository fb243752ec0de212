"""Sentinel-2 scenes on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloudfree.core.bands import find_optical_bands
from cloudfree.core.units import Float32
from cloudfree.core.window import Window
from cloudfree.errors import InputError
from cloudfree.io.cog import CogProfile
from cloudfree.io.dataset import Dataset
from cloudfree.io.georeference import grid_of
from cloudfree.io.radiometry import PICTURE_DTYPE, radiometry_of

# Dataset tag with the direction of the sun in degrees clockwise from north; the name is the
# element of MTD_TL.xml (S2 PSD-14.9, Mean_Sun_Angle).
SUN_AZIMUTH_TAG = "MEAN_SUN_AZIMUTH_ANGLE"

# Bands of a picture: red, green, blue and perhaps near infrared or opacity.
PICTURE_BANDS = (3, 4)


class OpticalScene(Dataset):
    """One multi-band Sentinel-2 raster: reflectance by band name, or the file's own numbers."""

    def __init__(self, path: Path, offset_dn: float | None = None) -> None:
        super().__init__(path)
        self.grid = grid_of(self.handle)
        self.descriptions: tuple[str | None, ...] = self.handle.descriptions
        self.positions = find_optical_bands(self._names())
        self.radiometry = radiometry_of(self.handle, offset_dn)
        self.tags: dict[str, str] = self.handle.tags()

    def _names(self) -> list[str | None]:
        """Descriptions of the bands; of a picture without them, its colours."""
        if any(self.descriptions) or len(self.descriptions) not in PICTURE_BANDS:
            return list(self.descriptions)
        return [colour.name for colour in self.handle.colorinterp]

    @property
    def is_picture(self) -> bool:
        """Whether the file holds bytes for the eye instead of reflectance."""
        return self.radiometry.dtype == PICTURE_DTYPE

    @property
    def bands(self) -> tuple[str, ...]:
        """The optical bands of the scene in file order."""
        return tuple(sorted(self.positions, key=self.positions.__getitem__))

    @property
    def sun_azimuth_deg(self) -> float | None:
        """Where the sun stood, clockwise from north, if the file tells.

        Raises
        ------
        InputError
            The tag is no number.
        """
        azimuth = self.tags.get(SUN_AZIMUTH_TAG)
        try:
            return float(azimuth) if azimuth is not None else None
        except ValueError as error:
            raise InputError(
                f"tag {SUN_AZIMUTH_TAG} = {azimuth!r} in {self.path.name}",
                wanted="degrees clockwise from north",
                hint="correct the tag or remove it",
            ) from error

    def require(self, bands: Sequence[str], purpose: str) -> None:
        """Refuse a scene that lacks one of `bands`.

        Raises
        ------
        InputError
            Names the missing bands and what needs them.
        """
        if missing := [band for band in bands if band not in self.positions]:
            raise InputError(
                f"no band {', '.join(missing)} in {self.path.name} ({', '.join(self.bands)})",
                wanted=f"the bands that {purpose} needs: {', '.join(bands)}",
                hint="give a scene with these bands, or name them if they are there unnamed",
            )

    def reflectance(self, bands: Sequence[str], window: Window) -> Float32:
        """Top-of-atmosphere reflectance of `bands`, (band, y, x), NaN where there is no data."""
        return self.radiometry.decode(self.read([self.positions[b] for b in bands], window))

    def native(self, window: Window) -> NDArray[np.generic]:
        """All bands of the file in its own numbers and order, (band, y, x)."""
        return self.read(list(range(len(self.descriptions))), window)

    def profile(self, tags: Mapping[str, str], creation_options: Mapping[str, str]) -> CogProfile:
        """How a scene like this one is written: type, names, tags and scales of this file.

        `tags` are added to the file's own; statistics are left out, for they no longer hold.
        """
        handle, indexes = self.handle, self.handle.indexes
        return CogProfile(
            dtype=handle.dtypes[0],
            nodata=handle.nodata,
            descriptions=self.descriptions,
            tags={**_without_statistics(self.tags), **tags},
            band_tags=tuple(_without_statistics(handle.tags(index)) for index in indexes),
            scales=handle.scales,
            offsets=handle.offsets,
            units=handle.units,
            creation_options=creation_options,
        )


def _without_statistics(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags that stay true when pixels change and the layout becomes that of a COG."""
    return {
        name: value
        for name, value in tags.items()
        if not name.startswith(("STATISTICS_", "OVR_")) and name != "AREA_OR_POINT"
    }
