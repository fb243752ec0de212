"""What a GPU computes with: set for a training, and for nothing after it."""

from __future__ import annotations

import pytest
import torch
from torch.backends import cudnn

from cloudfree.training.cuda import fast_gpu_kernels


def state() -> tuple[bool, str]:
    return cudnn.benchmark, torch.get_float32_matmul_precision()


def test_a_gpu_searches_its_kernels_for_the_time_of_a_training() -> None:
    before = state()
    with fast_gpu_kernels(torch.device("cuda")):
        assert state() == (True, "high")
    assert state() == before
    with pytest.raises(KeyError), fast_gpu_kernels(torch.device("cuda")):
        raise KeyError
    assert state() == before


def test_a_cpu_computes_as_before() -> None:
    before = state()
    with fast_gpu_kernels(torch.device("cpu")):
        assert state() == before
