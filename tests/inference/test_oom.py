"""What runtimes say when memory is out, as Python's own MemoryError."""

from __future__ import annotations

import weakref

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cloudfree.inference.oom import memory_errors
from cloudfree.inference.torch_runtime import TorchRuntime


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
