"""Drawing text and shapes on a picture: charts and grids of pictures as PNG.

Everything is drawn twice as large and made smaller at the end, so that text has smooth edges.
"""

from __future__ import annotations

import cv2
import numpy as np

from cloudfree.report.pictures import Rgb, UInt8Image

# How much larger is drawn.
ENLARGEMENT = 2
FONT = cv2.FONT_HERSHEY_SIMPLEX
INK: Rgb = (34, 34, 34)
PAPER: Rgb = (255, 255, 255)
# Height of capitals of the font at size 1, in pixels.
_CAPITALS_PX = 22

Point = tuple[float, float]


class Canvas:
    """A white picture to draw on; positions are (x, y) in pixels of the finished picture."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        size = (height * ENLARGEMENT, width * ENLARGEMENT, 3)
        self._pixels: UInt8Image = np.full(size, PAPER, dtype=np.uint8)

    def rectangle(self, corner: Point, opposite: Point, colour: Rgb) -> None:
        """Fill a rectangle between two corners."""
        (left, top), (right, bottom) = _sorted(corner, opposite)
        cv2.rectangle(
            self._pixels, _place((left, top)), _place((right, bottom)), colour, cv2.FILLED
        )

    def line(self, start: Point, end: Point, colour: Rgb = INK, width: float = 1.0) -> None:
        """Draw a straight line."""
        thickness = max(round(width * ENLARGEMENT), 1)
        cv2.line(self._pixels, _place(start), _place(end), colour, thickness, cv2.LINE_AA)

    def text(
        self, text: str, at: Point, height: float = 9.0, align: float = 0.0, colour: Rgb = INK
    ) -> None:
        """Write a line whose capitals are `height` pixels high, its base line at `at`.

        `at` is its left end with `align` 0, its middle with 0.5, its right end with 1.
        """
        x, y = at
        left = x - align * text_width(text, height)
        scale, plain = _scale(height), _plain(text)
        cv2.putText(
            self._pixels, plain, _place((left, y)), FONT, scale, colour, ENLARGEMENT, cv2.LINE_AA
        )

    def picture(self, pixels: UInt8Image, at: Point, side: int) -> None:
        """Put a picture, (y, x, 4), its longer side that long; transparent pixels stay white."""
        factor = side * ENLARGEMENT / max(pixels.shape[:2])
        rows, cols = (round(length * factor) for length in pixels.shape[:2])
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
        scaled = np.asarray(cv2.resize(pixels, (cols, rows), interpolation=way))
        visible = scaled[..., 3:] > 0
        left, top = _place(at)
        part = self._pixels[top : top + rows, left : left + cols]
        part[:] = np.where(visible, scaled[..., :3], part)[: part.shape[0], : part.shape[1]]

    def finished(self) -> UInt8Image:
        """The picture, (y, x, 4)."""
        size = (self.width, self.height)
        small = np.asarray(cv2.resize(self._pixels, size, interpolation=cv2.INTER_AREA))
        opaque = np.full((*small.shape[:2], 1), 255, dtype=np.uint8)
        return np.concatenate([small, opaque], axis=2).astype(np.uint8)


def text_width(text: str, height: float = 9.0) -> float:
    """Width of a line whose capitals are that high, in pixels."""
    (width, _), _ = cv2.getTextSize(_plain(text), FONT, _scale(height), ENLARGEMENT)
    return float(width) / ENLARGEMENT


def _scale(height: float) -> float:
    return height * ENLARGEMENT / _CAPITALS_PX


def _plain(text: str) -> str:
    """The text in the characters that the font has."""
    return text.encode("ascii", "replace").decode()


def _place(point: Point) -> tuple[int, int]:
    x, y = point
    return round(x * ENLARGEMENT), round(y * ENLARGEMENT)


def _sorted(one: Point, other: Point) -> tuple[Point, Point]:
    (x1, y1), (x2, y2) = one, other
    return (min(x1, x2), min(y1, y2)), (max(x1, x2), max(y1, y2))
