"""`cloudfree search`: the scenes of a place in a STAC API, as a list for `cloudfree batch`."""

from __future__ import annotations

import logging

from cloudfree.commands.options import Bounds
from cloudfree.commands.search.candidates import Candidate
from cloudfree.commands.search.options import SearchOptions, SearchResult
from cloudfree.commands.search.ranking import best_references, best_scene, found_scenes
from cloudfree.commands.search.stac_api import StacApi
from cloudfree.core.period import Period
from cloudfree.core.terminal import Progress
from cloudfree.errors import ErrorCode, InputError

logger = logging.getLogger("cloudfree")

__all__ = ["SearchOptions", "SearchResult", "run"]


def run(options: SearchOptions, progress: Progress) -> SearchResult:
    """Find the best Sentinel-2 scene of an area and a time, its references, and their Sentinel-1.

    Raises
    ------
    InputError
        There is no such scene, the API cannot be asked, or an option is no area or no time.
    """
    del progress
    _check_area(options.bbox)
    period = Period.from_text(options.date)
    api = StacApi(options.api)
    scene = _scene(api, options, period)
    references = _references(api, options, scene)
    radars = _radars(api, options, [scene, *references])
    result = SearchResult(found_scenes(scene, references, radars, options.max_gap))
    for one in result.scenes:
        logger.info(one.words())
    if result.scenes[0].coverage < 1:
        logger.warning("%s covers %.0f %% of the area: no single item covers more of it",
                       scene.name, 100 * scene.coverage)  # fmt: skip
    return result


def _scene(api: StacApi, options: SearchOptions, period: Period) -> Candidate:
    found = api.items(options.s2_collection, options.bbox, period)
    scene = best_scene(found, options.max_cloud)
    if scene is None:
        cloudy = f", {len(found)} with more cloud than {options.max_cloud:g} %" if found else ""
        raise InputError(
            f"no scene of {options.s2_collection} in {options.date}{cloudy}",
            wanted="a Sentinel-2 scene of the area and the time",
            hint="give more days with --date, or allow more cloud with --max-cloud"
            if found
            else "give more days with --date, or another collection with --s2-collection",
            code=ErrorCode.NO_DATA,
        )
    return scene


def _references(api: StacApi, options: SearchOptions, scene: Candidate) -> list[Candidate]:
    if not options.references:
        return []
    around = Period.around(scene.acquired, options.max_age)
    found = api.items(options.s2_collection, options.bbox, around)
    return best_references(scene, found, options.max_cloud, options.references)


def _radars(api: StacApi, options: SearchOptions, scenes: list[Candidate]) -> list[Candidate]:
    """The Sentinel-1 items of the time of all scenes."""
    periods = [Period.around(one.acquired, options.max_gap) for one in scenes]
    period = Period(min(one.start for one in periods), max(one.end for one in periods))
    return api.items(options.s1_collection, options.bbox, period)


def _check_area(bbox: Bounds) -> None:
    west, south, east, north = bbox
    on_earth = -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south < north <= 90
    if not on_earth or west == east:
        raise InputError(
            "--bbox {:g},{:g},{:g},{:g}".format(*bbox),
            wanted="west, south, east and north in degrees, south below north, and two longitudes",
            hint="correct --bbox",
            code=ErrorCode.BAD_OPTION,
        )
