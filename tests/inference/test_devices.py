"""A GPU copies one batch while it computes another."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cloudfree.inference.devices import ThreadStream, memory_errors
from cloudfree.inference.torch_runtime import TorchRuntime
from cloudfree.parallel.threads import prefetch
from tests.factories.patience import PATIENCE_S


class Hungry(nn.Module):
    """Wants more memory than any machine has."""

    def forward(self, optical: Tensor) -> dict[str, Tensor]:
        return {"image": torch.empty(1 << 55) + optical.sum()}


def test_torch_on_the_cpu() -> None:
    runtime = TorchRuntime(Hungry(), ("optical",), torch.device("cpu"), torch.float32)
    with pytest.raises(MemoryError, match=r"can't allocate memory|not enough memory"):
        runtime.run({"optical": np.zeros((1, 1, 4, 4), np.float32)})


def test_torch_on_the_gpu_gives_its_cache_back_first() -> None:
    cleared = []
    with (
        pytest.raises(MemoryError, match="CUDA out of memory"),
        memory_errors(lambda: cleared.append(1)),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nAdvice")
    assert cleared


@pytest.mark.parametrize("library", ["CUDNN", "CUBLAS"])
def test_the_libraries_of_a_gpu(library: str) -> None:
    with pytest.raises(MemoryError, match=library), memory_errors():
        raise RuntimeError(f"{library} error: {library}_STATUS_ALLOC_FAILED when calling create")


def test_what_the_failed_work_held_is_free_before_the_cache_is_given_back() -> None:
    held: list[weakref.ref[np.ndarray]] = []
    found = []

    def work() -> None:
        features = np.zeros(8)
        held.append(weakref.ref(features))
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(MemoryError), memory_errors(lambda: found.append(held[0]())):
        work()
    assert found == [None]


def test_bringing_the_inputs_to_the_device_may_fail_too(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = TorchRuntime(nn.Identity(), (), torch.device("cpu"), torch.float32)

    def fail(*_: object) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(TorchRuntime, "_tensor", fail)
    with pytest.raises(MemoryError, match="CUDA out of memory"):
        runtime.run({"dates": np.zeros((1, 1), np.float32)})


def test_onnx_runtime() -> None:
    fail = pytest.importorskip("onnxruntime.capi.onnxruntime_pybind11_state").Fail
    with pytest.raises(MemoryError), memory_errors():
        raise fail("[ONNXRuntimeError] : 1 : FAIL : Failed to allocate memory for requested buffer")


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="sizes"), memory_errors():
        raise RuntimeError("sizes of tensors must match")


GPU = torch.device("cuda", 0)


class Stream:
    """Stands for a stream, and keeps what it waited for."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.waited = device, list[object]()

    def wait_stream(self, other: object) -> None:
        """Keep the other."""
        self.waited.append(other)


@pytest.fixture
def activated(monkeypatch: pytest.MonkeyPatch) -> list[Stream]:
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


def test_batches_side_by_side_go_to_streams_of_their_own(activated: list[Stream]) -> None:
    """On one stream a batch would be copied only when the one before it is computed."""
    streams, together = ThreadStream(GPU), threading.Barrier(2)

    def run(_: object) -> None:
        with streams.activated():
            together.wait(PATIENCE_S)

    with prefetch(run, range(4), ahead=2, threads=2) as done:
        assert len(list(done)) == 4
    assert [stream.device for stream in activated] == [GPU] * 4
    assert len({id(stream) for stream in activated}) == 2, "each thread keeps its own"


def test_a_stream_waits_for_the_weights(activated: list[Stream]) -> None:
    """They are laid out, and learn, on the usual stream: each batch sees them as they are then."""
    streams = ThreadStream(GPU)
    for batches in (1, 2):
        with streams.activated():
            assert activated[0].waited == ["the usual one of cuda:0"] * batches


def test_a_cpu_has_no_streams(activated: list[Stream]) -> None:
    with ThreadStream(torch.device("cpu")).activated():
        assert not activated


def test_networks_run_on_the_stream_of_their_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[bool] = []

    @contextmanager
    def activated(_: object) -> Iterator[None]:
        at_work.append(True)
        yield
        at_work.append(False)

    class Network(torch.nn.Module):
        def forward(self, optical: torch.Tensor) -> dict[str, torch.Tensor]:
            assert at_work == [True]
            return {"image": optical}

    monkeypatch.setattr(ThreadStream, "activated", activated)
    runtime = TorchRuntime(Network(), ("optical",), torch.device("cpu"), torch.float32)
    runtime.run({"optical": np.zeros((1, 1, 4, 4), np.float32)})
    assert at_work == [True, False]
