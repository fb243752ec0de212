"""One warning silenced, in several threads at once."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from cloudfree.io.quiet import without_warning


def test_only_the_named_warning_is_silent() -> None:
    with without_warning(UserWarning):
        warnings.warn("unheard", UserWarning, stacklevel=1)
        with pytest.raises(FutureWarning):
            warnings.warn("heard", FutureWarning, stacklevel=1)
    with pytest.raises(UserWarning):
        warnings.warn("heard again", UserWarning, stacklevel=1)


def test_a_thread_does_not_undo_what_another_has_silenced() -> None:
    entered, left = Event(), Event()

    def second() -> None:
        with without_warning(UserWarning):
            entered.set()
            left.wait(10)
            warnings.warn("unheard", UserWarning, stacklevel=1)

    with ThreadPoolExecutor(1) as pool:
        with without_warning(UserWarning):
            waiting = pool.submit(second)
            entered.wait(0.1)  # it does not come in before this one has left
        left.set()
        waiting.result()
    with pytest.raises(UserWarning):
        warnings.warn("heard", UserWarning, stacklevel=1)
