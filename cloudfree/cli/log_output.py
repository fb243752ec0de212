"""Log messages on stderr: as text for people, or as one JSON object a line for programs."""

from __future__ import annotations

import json
import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, get_args

import click

from cloudfree import __version__
from cloudfree.core.terminal import one_line

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

LogFormat = Literal["text", "json"]

logger = logging.getLogger("cloudfree")

# In the context, which a group shares with its commands.
_FORMAT = "cloudfree.log_format"


def _keep(ctx: click.Context, _: click.Parameter, chosen: LogFormat | None) -> None:
    if chosen:
        ctx.meta[_FORMAT] = chosen


def log_format_option(command: Decorated) -> Decorated:
    """The option, which stands before or after the name of a command."""
    return click.option(
        "--log-format",
        type=click.Choice(get_args(LogFormat)),
        callback=_keep,
        expose_value=False,
        help="Messages on stderr as text, or a JSON object a line.  [default: text]",
    )(command)


def chosen_format() -> LogFormat:
    """The format that the command line asks for."""
    chosen: LogFormat = click.get_current_context().meta.get(_FORMAT, "text")
    return chosen


def start_logging(verbosity: int, log_format: LogFormat = "text", scene: str = "") -> None:
    """Send messages to stderr; -q drops the notes, -qq the warnings, -v adds details.

    `scene` is the name of the scene that the command works on, if it is one.
    """
    level = {-1: logging.WARNING, 0: logging.INFO}.get(verbosity, logging.DEBUG)
    logger.setLevel(logging.ERROR if verbosity < -1 else level)
    handler = JsonHandler(scene) if log_format == "json" else TextHandler()
    logger.handlers[:] = [handler]
    _quieten_gdal(verbosity, handler)


def _quieten_gdal(verbosity: int, handler: logging.Handler) -> None:
    """Show messages of GDAL with -v only: an error of ours says in one line what matters.

    What its threads say goes past the logger to stderr, unless GDAL has a file for it.
    """
    gdal = logging.getLogger("rasterio")
    gdal.propagate = False
    gdal.handlers[:] = [handler if verbosity > 0 else logging.NullHandler()]
    if verbosity <= 0:
        os.environ.setdefault("CPL_LOG", os.devnull)


class TextHandler(logging.Handler):
    """Prints through click, so that it reaches the stderr of the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message; warnings and errors are named."""
        prefix = "" if record.levelno < logging.WARNING else f"{record.levelname.capitalize()}: "
        with _above_bars():
            click.echo(prefix + one_line(record.getMessage()), err=True)


class JsonHandler(logging.Handler):
    """Prints objects with the time in UTC, level, message and, where it is known, the scene."""

    def __init__(self, scene: str = "") -> None:
        super().__init__()
        self._scene = scene

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message."""
        when = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if scene := getattr(record, "scene", self._scene):
            line["scene"] = scene
        click.echo(json.dumps(line), err=True)


def _above_bars() -> AbstractContextManager[object]:
    """Lines of the block stand above the bars on stderr; there are none unless tqdm is loaded."""
    bars = sys.modules.get("tqdm")
    return bars.tqdm.external_write_mode(sys.stderr) if bars else nullcontext()


@contextmanager
def logged_run() -> Iterator[None]:
    """Details of the block: versions at its start, time and memory at its end."""
    logger.debug("cloudfree %s, Python %s, %s", __version__, platform.python_version(),
                 platform.platform())  # fmt: skip
    begun = time.monotonic()
    try:
        yield
    finally:
        logger.debug("all: %.1f s%s", time.monotonic() - begun, _peak_memory())


def _peak_memory() -> str:
    """What this process took at most, where the system counts it."""
    try:
        import resource
    except ImportError:  # Windows
        return ""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
    return f", at most {size / 1e9:.2f} GB of memory"
