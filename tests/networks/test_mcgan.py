"""McGAN: golden output, layout, and what it promises for any weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cloudfree.networks.mcgan import McGan
from tests.factories.golden_weights import golden_arrays, golden_shapes, golden_weights, shapes
from tests.factories.networks import (
    assert_independent_of_batch,
    assert_repeatable,
    lively,
    noise,
    parameters,
    unreached,
)

PREFIX = "gen.gen."


def test_golden_output(golden: Path) -> None:
    folder = golden / "mcgan" / "rgbn4_small"
    network = McGan(channels=8).eval()
    network.load_state_dict(golden_weights(folder, PREFIX), strict=True)
    with torch.inference_mode():
        result = network(golden_arrays(folder / "inputs.npz")["x"])
    expected = golden_arrays(folder / "outputs.npz")["out"]
    torch.testing.assert_close(result["image"], expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize(("name", "channels"), [("rgbn4_small", 8), ("rgbn4_full", 64)])
def test_keys_and_shapes(golden: Path, name: str, channels: int) -> None:
    with torch.device("meta"):
        network = McGan(channels=channels)
    assert shapes(network) == golden_shapes(golden / "mcgan" / name / "state_dict.json", PREFIX)


def test_parameters() -> None:
    with torch.device("meta"):
        assert parameters(McGan()) == 54_418_180


@pytest.mark.parametrize(("y", "x"), [(128, 128), (128, 384)])
def test_multiples_of_128(y: int, x: int) -> None:
    result = lively(McGan(channels=2))(noise(1, 4, y, x))
    assert result["image"].shape == (1, 4, y, x)


def test_sar_stands_behind_the_optical_bands() -> None:
    network = lively(McGan(optical_bands=13, sar_bands=2, output_bands=13, channels=2))
    optical, sar = noise(1, 13, 128, 128), noise(1, 2, 128, 128, seed=1)
    image = network(optical, sar)["image"]
    assert image.shape == (1, 13, 128, 128)
    together = torch.cat([optical, sar], dim=1)
    assert torch.equal(image, network(together)["image"])


def test_gradients_reach_every_parameter() -> None:
    assert unreached(lively(McGan(channels=2)), noise(2, 4, 128, 128)) == set()


def test_tiles_are_independent_and_repeatable() -> None:
    network = lively(McGan(channels=4))
    assert_independent_of_batch(network, noise(3, 4, 128, 128))
    assert_repeatable(network, noise(1, 4, 128, 256))


def test_dropout_sits_in_the_three_innermost_steps_up() -> None:
    network = McGan(channels=2)
    rates = [network.get_submodule(f"dc{n}.dropout").p for n in range(7)]
    np.testing.assert_array_equal(rates, [0.5, 0.5, 0.5, 0, 0, 0, 0])
