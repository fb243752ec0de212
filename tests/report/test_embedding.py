"""Pictures inside a page: their form, and how they come to fit."""

from __future__ import annotations

import numpy as np
import pytest

from cloudfree.errors import InputError
from cloudfree.report.embedding import data_uri, embedded_bytes, fitted
from cloudfree.report.pictures import Picture


def noise(name: str, height: int = 400, width: int = 300) -> Picture:
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, 4), np.uint8)
    pixels[..., 3] = 255
    return Picture(name, name, name, pixels)


def test_pictures_that_fit_stay_as_they_are() -> None:
    pictures = (noise("before"), noise("mask"))
    assert fitted(pictures, embedded_bytes(pictures)) == pictures


def test_others_are_halved_until_they_fit() -> None:
    pictures = (noise("before"), noise("after"))
    found = fitted(pictures, embedded_bytes(pictures) // 10)
    assert embedded_bytes(found) <= embedded_bytes(pictures) // 10
    sizes = {one.pixels.shape[:2] for one in found}
    assert sizes <= {(200, 150), (100, 75)}
    assert all(one.reduced and not one.small for one in found)
    assert all(data_uri(one).startswith("data:image/jpeg") for one in found)


def test_masks_keep_their_colours_when_halved() -> None:
    pixels = np.zeros((400, 400, 4), np.uint8)
    pixels[::2, 1::3] = (1, 2, 3, 255)
    mask = Picture("mask", "Mask", "Mask", pixels)
    (found,) = fitted([mask], embedded_bytes([mask]) - 1)
    colours = {tuple(colour) for colour in found.pixels.reshape(-1, 4).tolist()}
    assert colours <= {(0, 0, 0, 0), (1, 2, 3, 255)}
    assert data_uri(found).startswith("data:image/png")


def test_where_not_even_tiny_pictures_fit_it_is_an_error() -> None:
    with pytest.raises(InputError, match=r"pictures of \d+ bytes; wanted 100 bytes; raise --max"):
        fitted([noise("before")], 100)
