"""Networks beside a plain reference with the same weights, in turns: read the ratios.

Networks and references run in turns in one process, so that a busy machine slows both alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import pytest
import torch
from torch import Tensor, nn

from cloudfree.networks.glf_cr import GlfCr
from tests.networks.reference_glf_cr import ReferenceGlfCr

pytestmark = pytest.mark.bench

ROUNDS = 5
CASES: dict[str, tuple[type[nn.Module], type[nn.Module], int]] = {
    "GLF-CR, 128 x 128": (GlfCr, ReferenceGlfCr, 128),
}


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _image(network: nn.Module, optical: Tensor, sar: Tensor) -> Tensor:
    result = network(optical, sar)
    image: Tensor = result["image"] if isinstance(result, dict) else result
    return image


@pytest.mark.parametrize("case", CASES)
def test_a_network_agrees_with_its_reference_and_its_time_is_told(
    case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make, make_reference, size = CASES[case]
    torch.set_num_threads(2)
    torch.manual_seed(0)
    network, reference = make().eval(), make_reference().eval()
    reference.load_state_dict(network.state_dict())
    tile = torch.rand(1, 13, size, size), torch.rand(1, 2, size, size)
    with torch.inference_mode():
        difference = (_image(network, *tile) - _image(reference, *tile)).abs().max()
        times = [
            (_seconds(lambda: network(*tile)), _seconds(lambda: reference(*tile)))
            for _ in range(ROUNDS)
        ]
    own, plain = (median(column) for column in zip(*times, strict=True))
    with capsys.disabled():
        print(f"\n{case}: {own:.2f} s, reference {plain:.2f} s, {plain / own:.2f} times faster")
    assert difference <= 1e-4
