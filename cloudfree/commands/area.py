"""The area that the options of a command name."""

from __future__ import annotations

from cloudfree.commands.options import AreaOptions
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.area import Area, box_area
from cloudfree.raster.geojson import read_area


def area_of(options: AreaOptions) -> Area | None:
    """The area to which a scene is cut; None for the whole scene.

    Raises
    ------
    InputError
        Both options are given, or one is no area.
    """
    if options.bbox is not None and options.aoi is not None:
        raise InputError(
            "--bbox and --aoi",
            wanted="one area",
            hint="leave one of them out",
            code=ErrorCode.BAD_OPTION,
        )
    if options.aoi is not None:
        return read_area(options.aoi)
    return None if options.bbox is None else box_area(options.bbox)
