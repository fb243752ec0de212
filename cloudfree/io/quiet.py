"""Silencing one warning of a library where we say the same thing better."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

# The filters belong to the whole process: one thread must not restore what another has changed.
_FILTERS = RLock()


@contextmanager
def without_warning(category: type[Warning]) -> Iterator[None]:
    """Run a block without warnings of `category`."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore", category)
        yield
