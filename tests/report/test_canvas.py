"""Drawing on a white picture."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.report.canvas import INK, Canvas, text_width


def test_a_canvas_is_white_and_opaque() -> None:
    found = Canvas(30, 20).finished()
    assert found.shape == (20, 30, 4)
    assert (found == 255).all()


def test_a_rectangle_lies_between_its_corners_whatever_their_order() -> None:
    for corners in (((5, 5), (15, 10)), ((15, 10), (5, 5))):
        canvas = Canvas(30, 20)
        canvas.rectangle(*corners, (0, 128, 0))
        found = canvas.finished()
        assert found[7, 10].tolist() == [0, 128, 0, 255]
        assert found[3, 10].tolist() == found[7, 18].tolist() == [255] * 4


@pytest.mark.parametrize(("align", "first", "last"), [(0.0, 50, 99), (1.0, 0, 52), (0.5, 20, 80)])
def test_a_text_is_aligned_to_its_place(align: float, first: int, last: int) -> None:
    canvas = Canvas(100, 30)
    canvas.text("12.5 dB", (50, 20), align=align)
    dark = np.flatnonzero((canvas.finished()[..., 0] < 128).any(axis=0))
    assert first <= dark.min()
    assert dark.max() <= last


def test_longer_texts_are_wider_and_other_characters_do_no_harm() -> None:
    assert text_width("abc") < text_width("abcd")
    assert text_width("caf\N{LATIN SMALL LETTER E WITH ACUTE}") > 0


def test_a_picture_is_scaled_and_its_transparent_pixels_stay_white() -> None:
    pixels = np.zeros((2, 2, 4), dtype=np.uint8)
    pixels[0] = (200, 0, 0, 255)
    canvas = Canvas(50, 50)
    canvas.picture(pixels, (5, 5), 40)
    found = canvas.finished()
    assert found[10, 20].tolist() == [200, 0, 0, 255]
    assert found[40, 20].tolist() == [255, 255, 255, 255]


def test_a_line_joins_two_points() -> None:
    canvas = Canvas(20, 20)
    canvas.line((2, 10), (18, 10), width=2)
    assert canvas.finished()[10, 10].tolist() == [*INK, 255]
