"""Sentinel-2 scenes: reflectance by band name, whatever the product format."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rasterio import enums

from cloudfree.core.acquisition import SUN_AZIMUTH_TAG, Acquisition, stated
from cloudfree.core.bands import colour_interpretation, find_optical_bands
from cloudfree.core.choices import Resampling
from cloudfree.core.grid import Grid, Window
from cloudfree.core.radiometry import QUANTIFICATION, Float32, Radiometry
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.area import Area
from cloudfree.raster.cog import CogProfile
from cloudfree.raster.dataset import Dataset, reduced_average
from cloudfree.raster.declared_size import check_strip
from cloudfree.raster.warp import grid_of
from cloudfree.sentinel2.band_folder import band_of_file
from cloudfree.sentinel2.detect_product import find_product
from cloudfree.sentinel2.file_numbers import (
    PICTURE_DTYPE,
    check_brightness,
    check_dark_pixels,
    digital_numbers,
    has_mask,
    nodata_of,
    number_format,
    picture_numbers,
    reflectance_numbers,
)
from cloudfree.sentinel2.gdal_tags import (
    BOA_OFFSET_TAG,
    DECIDED_TAG,
    OFFSET_TAG,
    REASON_TAG,
    offsets_by_scale,
    stated_tags,
)
from cloudfree.sentinel2.offset import (
    OFFSET,
    REFLECTANCE,
    OffsetDecision,
    OffsetEvidence,
    decide_offset,
    flag_evidence,
)
from cloudfree.sentinel2.product import Level, level_of_bands
from cloudfree.sentinel2.vrt import stack_bands

logger = logging.getLogger("cloudfree")

FULL_CIRCLE_DEG = 360.0

# Bands of a picture: red, green, blue and perhaps near infrared or opacity.
PICTURE_BANDS = (3, 4)


class OpticalScene(Dataset):
    """A Sentinel-2 scene on one grid: reflectance by band name, or its own numbers.

    `path` is a product in any format that `find_product` knows, or one raster with all bands.
    `offset_dn` is added to digital numbers; without it the evidence decides, which dark pixels may
    contradict unless `check_offset` is False. Bands of 20 and 60 m
    are resampled to the finest grid by `resampling`. Of a scene of which only `area` is read, the
    rest of the program sees a smaller scene: `grid` is that of the window, `whole` that of the
    file, and each pixel is as in the whole scene.

    Raises
    ------
    InputError
        No scene, an unknown radiometric offset, or nothing of the area.
    """

    def __init__(
        self,
        path: Path,
        offset_dn: float | None = None,
        resampling: Resampling = "bilinear",
        area: Area | None = None,
        check_offset: bool = True,
    ) -> None:
        self._check_offset = check_offset
        self.sun_is_stated = False
        self.product = find_product(path)
        super().__init__(path, self.product.raster or stack_bands(self.product, resampling))
        with self.closed_on_error():
            self.grid = self.whole = grid_of(self.handle)
            if area:
                self.cut(area)
            self.descriptions: tuple[str | None, ...] = self.handle.descriptions
            check_strip(self.grid, len(self.descriptions), self.name)
            self.positions = find_optical_bands(self._names())
            self.tags: dict[str, str] = self.handle.tags()
            self._masked = has_mask(self.handle) and self.handle.dtypes[0] != PICTURE_DTYPE
            self.offset, self.radiometry = self._decide_radiometry(offset_dn)

    def cut(self, area: Area) -> None:
        """From now on, read the window that covers an area.

        Raises
        ------
        InputError
            The scene has no coordinate system, or shows nothing of the area.
        """
        part = area.window(self.whole, self.name)
        if part != self.whole.window:
            logger.info("%s is cut to %d x %d of its %d x %d pixels, from row %d and column %d",
                        self.name, part.height, part.width, self.whole.height, self.whole.width,
                        part.row, part.col)  # fmt: skip
            self.part, self.grid = part, self.whole.crop(part)

    def state(self, acquired: datetime | None = None, sun_azimuth_deg: float | None = None) -> None:
        """From now on, take what the user states of the acquisition and of the sun.

        None leaves what the metadata have; what is replaced is logged. Outputs have it as tags.
        """
        if acquired is None and sun_azimuth_deg is None:
            return
        known = self.product.sun_azimuth_deg
        self.sun_is_stated |= sun_azimuth_deg is not None
        if sun_azimuth_deg is not None and known is not None:
            logger.info("--sun-azimuth %g replaces %g degrees in the metadata",
                        sun_azimuth_deg, known)  # fmt: skip
        self.product = replace(
            self.product,
            acquisition=stated(self.product.acquisition, acquired, "--s2-date"),
            sun_azimuth_deg=known if sun_azimuth_deg is None else sun_azimuth_deg,
        )
        self.tags |= stated_tags(self.product)
        self.__dict__.pop("sun_azimuth_deg", None)  # it is read from the tags once

    @contextmanager
    def _uncut(self) -> Iterator[None]:
        """Read the whole file in the block, so that what is decided holds for all of its parts."""
        part, self.part = self.part, None
        try:
            yield
        finally:
            self.part = part

    def _names(self) -> list[str | None]:
        """Descriptions of the bands; without them colours of a picture, or the name of the file."""
        if any(self.descriptions):
            return list(self.descriptions)
        if len(self.descriptions) in PICTURE_BANDS:
            return [colour.name for colour in self.handle.colorinterp]
        alone = len(self.descriptions) == 1
        return [band_of_file(self.path)] if alone else list(self.descriptions)

    def _decide_radiometry(self, offset_dn: float | None) -> tuple[OffsetDecision, Radiometry]:
        """The offset of the numbers, and the conversion to reflectance."""
        with self._uncut():
            kind = number_format(self, list(self.positions.values()))
        if kind == "picture":
            return REFLECTANCE, picture_numbers(self.handle)
        if kind == "reflectance":
            offset = self._offset_of_reflectance(offset_dn)
            radiometry = reflectance_numbers(self.handle, offset.offset_dn)
        else:
            offset = self._offset_of_digital_numbers(offset_dn)
            radiometry = digital_numbers(
                self.handle,
                list(self.positions.values()),
                offset.offset_dn,
                self.product.quantification,
                self.name,
            )
            with self._uncut():
                check_brightness(self, list(self.positions.values()), radiometry)
        if offset is not REFLECTANCE:
            logger.info("offset of %s: %s", self.name, offset.reason)
        for one in offset.evidence:
            logger.debug("evidence of the offset of %s, %s: %s", self.name, one.source, one.reason)
        return offset, radiometry

    def _offset_of_digital_numbers(self, offset_dn: float | None) -> OffsetDecision:
        evidence = self.product.evidence
        if self.product.bands and not any(one.offset_dn is not None for one in evidence):
            # Files of their own, whose headers are known only now. What a provider says of its
            # product counts more: some took the offset out and left the headers.
            evidence = (*evidence, *offsets_by_scale(self.handle, self.name))
        if offset_dn is not None:
            return decide_offset((flag_evidence(offset_dn), *evidence), self.name)
        offset_known = any(one.offset_dn is not None for one in evidence)
        by_pixels = self._dark_pixels(offset_known)
        return decide_offset((*evidence, by_pixels), self.name)

    def _dark_pixels(self, offset_known: bool, unit: float = 1.0) -> OffsetEvidence:
        """The evidence of dark pixels: of the whole file, where all depends on them."""
        if offset_known and not self._check_offset:
            return OffsetEvidence("statistics", None, "dark pixels were not checked")
        with nullcontext() if offset_known else self._uncut():
            return check_dark_pixels(self, self.positions, offset_known, unit)

    def _offset_of_reflectance(self, offset_dn: float | None) -> OffsetDecision:
        """The offset that was not removed when digital numbers became reflectance.

        Metadata describe the product, not the division: only the decision of an earlier run and
        the darkest pixels count.
        """
        if offset_dn is not None:
            return decide_offset((flag_evidence(offset_dn),), self.name)
        evidence = self.product.evidence if DECIDED_TAG in self.tags else ()
        by_pixels = self._dark_pixels(bool(evidence), QUANTIFICATION)
        if evidence or by_pixels.offset_dn == OFFSET:
            return decide_offset((*evidence, by_pixels), self.name)
        if by_pixels.offset_dn is None:
            logger.warning(
                "reflectance of %s is used without an offset, but no dark pixel shows that it was "
                "removed (%s): if it was not, give --s2-offset %g",
                self.name, self._product_with_offset() or by_pixels.reason, OFFSET,
            )  # fmt: skip
        return REFLECTANCE

    def _product_with_offset(self) -> str | None:
        """Evidence that the digital numbers of the product had the offset, in words."""
        return next((one.reason for one in self.product.evidence if one.offset_dn == OFFSET), None)

    def read(
        self,
        indexes: list[int],
        window: Window | None = None,
        out_shape: tuple[int, int] | None = None,
        resampling: enums.Resampling = enums.Resampling.nearest,
        out: NDArray[np.generic] | None = None,
    ) -> NDArray[np.generic]:
        """Bands (counted from 0) in the file's own numbers, (band, y, x), as `Dataset.read` does.

        Pixels that a mask band marks as missing become nodata.
        """
        numbers = super().read(indexes, window, out_shape, resampling, out)
        if self._masked:
            valid = self.handle.read_masks(1, window=self.in_file(window), out_shape=out_shape)
            numbers[:, valid == 0] = nodata_of(self.handle)
        return numbers

    def reduced_reflectance(
        self, bands: Sequence[str], grid: Grid, window: Window | None = None
    ) -> Float32:
        """Reflectance of `bands`, (band, y, x), averaged to the size of `grid`; NaN if no data.

        `window` is the part of the scene that is read, None for all of it.
        """
        indexes = [self.positions[band] for band in bands]
        return self.radiometry.decode(reduced_average(self, indexes, grid, window))

    @property
    def level(self) -> Level | None:
        """L1C or L2A, by metadata, name, or else the set of bands."""
        return self.product.level or level_of_bands(frozenset(self.positions))

    @property
    def acquisition(self) -> Acquisition:
        """Acquisition metadata of the scene."""
        return self.product.acquisition

    @property
    def name(self) -> str:
        """Name of the scene for messages: its product's or its file's."""
        return self.product.name

    @property
    def is_picture(self) -> bool:
        """Whether the file is an 8-bit picture instead of reflectance."""
        return self.radiometry.dtype == PICTURE_DTYPE

    @property
    def bands(self) -> tuple[str, ...]:
        """The optical bands of the scene in file order."""
        return tuple(sorted(self.positions, key=self.positions.__getitem__))

    @cached_property
    def sun_azimuth_deg(self) -> float | None:
        """Sun azimuth, clockwise from north; None if unknown.

        Raises
        ------
        InputError
            The tag is no number.
        """
        azimuth = self.tags.get(SUN_AZIMUTH_TAG)
        try:
            degrees = float(azimuth) if azimuth is not None else None
        except ValueError as error:
            raise InputError(
                f"tag {SUN_AZIMUTH_TAG} = {azimuth!r} in {self.name}",
                wanted="degrees clockwise from north",
                hint="correct the tag or remove it",
            ) from error
        if degrees is None or -FULL_CIRCLE_DEG <= degrees <= FULL_CIRCLE_DEG:
            return degrees
        logger.warning("tag %s = %s in %s is no direction: the sun is not known",
                    SUN_AZIMUTH_TAG, azimuth, self.name)  # fmt: skip
        return None

    def require(self, bands: Sequence[str], purpose: str) -> None:
        """Check that the scene has all of `bands`.

        Raises
        ------
        InputError
            A band is missing; the message names it and its purpose.
        """
        if missing := [band for band in bands if band not in self.positions]:
            raise InputError(
                f"no band {', '.join(missing)} in {self.name} ({', '.join(self.bands)})",
                wanted=f"the bands that {purpose} needs: {', '.join(bands)}",
                hint="give a scene with these bands, or name its bands",
                code=ErrorCode.MISSING_BAND,
            )

    def reflectance(self, bands: Sequence[str], window: Window) -> Float32:
        """Top-of-atmosphere reflectance of `bands`, (band, y, x), NaN where there is no data."""
        return self.radiometry.decode(self.read([self.positions[b] for b in bands], window))

    def native(self, window: Window, out: NDArray[np.generic] | None = None) -> NDArray[np.generic]:
        """All bands of the file in its own numbers and order, (band, y, x), in `out` if given."""
        return self.read(list(range(len(self.descriptions))), window, out=out)

    def profile(self, tags: Mapping[str, str], creation_options: Mapping[str, str]) -> CogProfile:
        """Output profile of a scene like this one: type, names and tags of this file.

        `tags` are added to the file's own; statistics are dropped, as they no longer hold. The
        offset is kept, so that the output reads back as this scene does. Scale and offset of the
        bands are those of reflectance, which GDAL and QGIS then show; those of a picture are kept.
        """
        handle, indexes = self.handle, self.handle.indexes
        decided = {DECIDED_TAG: f"{self.offset.offset_dn:g}", REASON_TAG: self.offset.reason}
        return CogProfile(
            dtype=handle.dtypes[0],
            nodata=nodata_of(handle) if self._masked else handle.nodata,
            descriptions=self.descriptions,
            tags={**_without_statistics(self.tags), **decided, **tags},
            band_tags=tuple(self._band_tags(index) for index in indexes),
            scales=self._of_reflectance(self.radiometry.scale, handle.scales),
            offsets=self._of_reflectance(self.radiometry.offset, handle.offsets),
            units=handle.units,
            interpretation=self._interpretation(),
            creation_options=creation_options,
        )

    def _of_reflectance(self, number: float, own: Sequence[float]) -> tuple[float, ...]:
        """A number for each optical band, and that of the file for others and for a picture."""
        optical = () if self.is_picture else self.positions.values()
        return tuple(number if at in optical else value for at, value in enumerate(own))

    def _interpretation(self) -> tuple[str, ...]:
        """What the bands show: true colour by their names, and the opacity that a file has."""
        names = dict(zip(self.positions.values(), self.positions, strict=True))
        shown = colour_interpretation([names.get(at) for at in range(self.handle.count)])
        own = [colour.name for colour in self.handle.colorinterp]
        return tuple(
            "alpha" if was == "alpha" else now for was, now in zip(own, shown, strict=True)
        )

    def _band_tags(self, index: int) -> dict[str, str]:
        """The tags of a band, counted from 1, with the offset of its digital numbers."""
        tags = _without_statistics(self.handle.tags(index))
        if self.offset is REFLECTANCE:
            return tags
        names = {OFFSET_TAG} | ({BOA_OFFSET_TAG} & tags.keys())
        return {**tags, **dict.fromkeys(sorted(names), f"{self.offset.offset_dn:g}")}


def _without_statistics(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags that remain valid when pixels change and the layout becomes that of a COG."""
    return {
        name: value
        for name, value in tags.items()
        if not name.startswith(("STATISTICS_", "OVR_")) and name != "AREA_OR_POINT"
    }
