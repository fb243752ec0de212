"""`cloudfree search`."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import NumberRange, bounds_of, cloudfree_command, option_from
from cloudfree.commands.search.options import SearchOptions
from cloudfree.core.choices import MAX_REFERENCES

API_VARIABLE = "CLOUDFREE_STAC_API"


@click.command(
    epilog="Example: cloudfree search --bbox 3,40.6,3.1,40.7 --date 2022-06-05 > list.csv"
)
@option_from(
    SearchOptions,
    "api",
    metavar="URL",
    envvar=API_VARIABLE,
    show_envvar=True,
    help="First page of the STAC API.",
)
@option_from(
    SearchOptions,
    "bbox",
    type=str,
    metavar="W,S,E,N",
    callback=bounds_of,
    help="Area in degrees (EPSG:4326).",
)
@option_from(
    SearchOptions,
    "date",
    metavar="DAY|DAY/DAY",
    help="Day of the scene, or the days from which the best is taken.",
)
@option_from(
    SearchOptions,
    "references",
    type=click.IntRange(0, MAX_REFERENCES),
    metavar="N",
    help="Other dates of the place that are listed at most.",
)
@option_from(
    SearchOptions,
    "max_cloud",
    type=NumberRange(0, 100),
    metavar="PERCENT",
    help="Maximum cloud cover of the scene and of other dates.",
)
@option_from(
    SearchOptions,
    "max_gap",
    type=NumberRange(0),
    metavar="DAYS",
    help="Maximum days between Sentinel-2 and Sentinel-1.",
)
@option_from(
    SearchOptions,
    "max_age",
    type=NumberRange(0),
    metavar="DAYS",
    help="Longest time between another date and the scene.",
)
@option_from(SearchOptions, "s2_collection", metavar="ID", help="Collection of Sentinel-2.")
@option_from(
    SearchOptions,
    "s1_collection",
    metavar="ID",
    help="Collection of terrain-corrected Sentinel-1, with the assets vv and vh.",
)
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Find scenes in a STAC API, and print a list that `cloudfree batch` takes.

    The first row is the Sentinel-2 scene of the time that shows most of the area without cloud,
    with the nearest Sentinel-1; the others are other dates, which fill what its clouds hide. Needs
    cloudfree[stac].
    """
    from cloudfree.commands.search.run import run

    return run(SearchOptions(**options), progress)
