"""What is said in a block is kept, and nothing that is said after it."""

from __future__ import annotations

import logging

import pytest

from cloudfree.core.terminal import captured_warnings, timed

logger = logging.getLogger("cloudfree")


def test_warnings_are_kept_and_notes_dropped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "cloudfree")
    with captured_warnings() as kept:
        logger.info("a note")
        logger.warning("%d of them are odd", 2)
        logger.error("worse")
    assert kept == ["2 of them are odd", "worse"]
    assert not caplog.messages


def test_who_listened_before_listens_again(caplog: pytest.LogCaptureFixture) -> None:
    handlers, propagate = logger.handlers[:], logger.propagate
    with pytest.raises(RuntimeError, match="enough"), captured_warnings() as kept:
        raise RuntimeError("enough")
    logger.warning("after it")
    assert (kept, caplog.messages) == ([], ["after it"])
    assert (logger.handlers, logger.propagate) == (handlers, propagate)


def test_details_are_kept_apart_where_they_are_asked_for() -> None:
    level, details = logger.level, list[str]()
    with captured_warnings(details) as kept:
        logger.debug("a detail")
        logger.info("a note")
        logger.warning("odd")
    assert (details, kept, logger.level) == (["a detail", "a note"], ["odd"], level)


def test_a_timed_block_is_a_detail(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "cloudfree")
    with timed("mask"):
        pass
    assert caplog.record_tuples == [("cloudfree", logging.DEBUG, "mask: 0.0 s")]
