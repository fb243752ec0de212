"""The pictures of a result, from its files, at most `LONGEST_PX` a side."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from cloudfree.errors import InputError
from cloudfree.report.layers import Layer, layers, whole_place
from cloudfree.report.pictures import TRUE_COLOUR, Picture
from cloudfree.report.sources import Sources

logger = logging.getLogger("cloudfree")

LONGEST_PX = 1024


def quicklooks(sources: Sources) -> Iterator[Picture]:
    """The pictures that the files of a result allow, the scenes first."""
    return (picture for _, picture in drawn_layers(sources))


def drawn_layers(sources: Sources) -> Iterator[tuple[Layer, Picture]]:
    """The layers that the files of a result allow, each with its picture, the scenes first.

    Raises
    ------
    InputError
        The result has no bands for true colour.
    """
    sources.after.require(TRUE_COLOUR, "a true-colour picture")
    overview = whole_place(sources.after.grid, LONGEST_PX)
    for layer in layers(sources, overview):
        try:
            picture = layer.picture(overview)
        except InputError as error:
            if layer.name != "sar":
                raise
            logger.warning("no picture of the radar: %s", error.found)
        else:
            yield layer, picture
