"""Several processes train one network."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import distributed
from torch.backends import cudnn

from cloudfree.training.distributed import ALONE, fast_gpu_kernels, join_processes
from tests.conftest import ROOT
from tests.factories.patience import PATIENCE_S
from tests.factories.rank import train


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


def test_without_torchrun_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with join_processes("cpu") as processes:
        assert processes == ALONE
        assert processes.is_first
        assert not distributed.is_initialized()
        assert processes.gather(["b", "a", "b"]) == ["a", "b"]
        processes.wait()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two processes hold that have trained together."""
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
              "OMP_NUM_THREADS": "1"}  # fmt: skip
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.factories.rank", str(folder)],
            cwd=ROOT, env={**os.environ, **shared, "RANK": str(rank)},
            stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    for process in started:
        _, stderr = process.communicate(timeout=5 * PATIENCE_S)
        assert process.returncode == 0, stderr
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def test_two_processes_learn_what_one_learns_from_batches_of_both(
    ranks: list[dict[str, Any]],
) -> None:
    # L1 is a mean over the batch: the mean of two gradients is the gradient of the joint batch.
    alone = train(ALONE, norm=False, steps=2, size=4)
    before = train(ALONE, norm=False, steps=0, size=4)
    for name, value in alone.items():
        assert not torch.allclose(value, before[name], atol=1e-4), "it has learned"
        torch.testing.assert_close(ranks[0]["plain"][name], value, atol=1e-6, rtol=0)


def test_all_processes_hold_one_network_with_the_statistics_of_all(
    ranks: list[dict[str, Any]],
) -> None:
    for network in ("plain", "normed"):
        one, other = (rank[network] for rank in ranks)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    alone = train(ALONE, norm=True, steps=1, size=4)
    seen = "layers.1.running_mean"
    torch.testing.assert_close(ranks[0]["normed"][seen], alone[seen], atol=1e-6, rtol=0)


def test_names_are_gathered_from_all(ranks: list[dict[str, Any]]) -> None:
    for rank in ranks:
        assert rank["names"] == ["seen by 0", "seen by 1", "seen by all"]
