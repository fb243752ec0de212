"""What `evaluate` does unless it is told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.datasets.sen12mscr import PATCH_PX
from cloudfree.metrics.protocol import PROTOCOLS


def test_nothing_is_written_and_every_patch_of_the_published_size_is_scored() -> None:
    options = EvaluateOptions(Path("data"), ("m",))
    assert (options.output, options.overwrite) == (None, False)
    assert (options.limit, options.split) == (None, None)
    assert options.patch == PATCH_PX == 256


def test_the_protocol_is_one_that_there_is() -> None:
    assert EvaluateOptions(Path("data"), ("m",)).protocol in PROTOCOLS


def test_a_model_is_asked_for() -> None:
    with pytest.raises(TypeError, match="model"):
        EvaluateOptions(Path("data"))  # type: ignore[call-arg]
