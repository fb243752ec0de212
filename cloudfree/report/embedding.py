"""Pictures inside a page: encoded, and made smaller where they are too large for it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from cloudfree.core.mask_classes import REFERENCE_CLASSES
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.encoded_picture import jpeg, png
from cloudfree.report.pictures import Picture, UInt8Image

# The pictures of other dates, which have the names of their classes in the mask of filled pixels.
REFERENCES = tuple(one.name.lower() for one in REFERENCE_CLASSES)
# Pictures of few colours, whose classes and edges no compression may blur.
DRAWINGS = ("mask", "filled", "outline")

# Pictures are not made smaller than this.
SHORTEST_PX = 24


def data_uri(picture: Picture) -> str:
    """PNG where every pixel counts; else JPEG, in which pixels without data are black.

    References are many, and would make a page of PNG too large for mail.
    """
    detailed = picture.small and picture.name not in REFERENCES
    kind = "png" if detailed or picture.name in DRAWINGS else "jpeg"
    return f"data:image/{kind};base64,{encoded(picture.pixels, kind)}"


def encoded(pixels: UInt8Image, kind: str) -> str:
    """The base64 of a PNG, or of a JPEG, which has no opacity."""
    content = png(pixels) if kind == "png" else jpeg(pixels[..., :3])
    return base64.b64encode(content).decode()


def fitted(pictures: Sequence[Picture], largest_bytes: int) -> tuple[Picture, ...]:
    """The pictures, with sides halved as often as it takes to embed them in so many bytes.

    Raises
    ------
    InputError
        Not even tiny ones fit.
    """
    found = tuple(pictures)
    while (size := embedded_bytes(found)) > largest_bytes:
        if max(max(one.pixels.shape[:2]) for one in found) < 2 * SHORTEST_PX:
            raise InputError(
                f"pictures of {size} bytes",
                wanted=f"{largest_bytes} bytes",
                hint="raise --max-size, or show fewer results",
                code=ErrorCode.BAD_OPTION,
            )
        found = tuple(map(_halved, found))
    return found


def embedded_bytes(pictures: Sequence[Picture]) -> int:
    """How many bytes pictures take inside a page."""
    return sum(len(data_uri(one)) for one in pictures)


def _halved(picture: Picture) -> Picture:
    height, width = (max(side // 2, 1) for side in picture.pixels.shape[:2])
    averages = picture.name not in DRAWINGS
    how = cv2.INTER_AREA if averages else cv2.INTER_NEAREST
    pixels = cv2.resize(picture.pixels, (width, height), interpolation=how)
    return replace(picture, pixels=np.asarray(pixels, dtype=np.uint8), reduced=True)
