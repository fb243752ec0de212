"""A GPU copies one batch while it computes another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from cloudfree.inference.cuda_streams import ThreadStream
from cloudfree.inference.torch_runtime import TorchRuntime
from cloudfree.parallel.prefetch import prefetch
from tests.factories.patience import PATIENCE_S

GPU = torch.device("cuda", 0)


class Stream:
    """Stands for a stream, and keeps what it waited for."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.waited = device, list[object]()

    def wait_stream(self, other: object) -> None:
        """Keep the other."""
        self.waited.append(other)


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[Stream]:
    """The streams that work goes to, one by one, on a machine that seems to have a GPU."""
    found: list[Stream] = []

    @contextmanager
    def enter(stream: Stream) -> Iterator[None]:
        found.append(stream)
        yield

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", enter)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"the usual one of {device}")
    return found


def test_batches_side_by_side_go_to_streams_of_their_own(entered: list[Stream]) -> None:
    """On one stream a batch would be copied only when the one before it is computed."""
    streams, together = ThreadStream(GPU), threading.Barrier(2)

    def run(_: object) -> None:
        with streams.entered():
            together.wait(PATIENCE_S)

    with prefetch(run, range(4), ahead=2, threads=2) as done:
        assert len(list(done)) == 4
    assert [stream.device for stream in entered] == [GPU] * 4
    assert len({id(stream) for stream in entered}) == 2, "each thread keeps its own"


def test_a_stream_waits_for_the_weights(entered: list[Stream]) -> None:
    """They are laid out, and learn, on the usual stream: each batch sees them as they are then."""
    streams = ThreadStream(GPU)
    for batches in (1, 2):
        with streams.entered():
            assert entered[0].waited == ["the usual one of cuda:0"] * batches


def test_a_cpu_has_no_streams(entered: list[Stream]) -> None:
    with ThreadStream(torch.device("cpu")).entered():
        assert not entered


def test_networks_run_on_the_stream_of_their_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[bool] = []

    @contextmanager
    def entered(_: object) -> Iterator[None]:
        at_work.append(True)
        yield
        at_work.append(False)

    class Network(torch.nn.Module):
        def forward(self, optical: torch.Tensor) -> dict[str, torch.Tensor]:
            assert at_work == [True]
            return {"image": optical}

    monkeypatch.setattr(ThreadStream, "entered", entered)
    runtime = TorchRuntime(Network(), ("optical",), torch.device("cpu"), torch.float32)
    runtime.run({"optical": np.zeros((1, 1, 4, 4), np.float32)})
    assert at_work == [True, False]
