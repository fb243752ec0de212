"""SAR2OPT: golden output, layout, and what it promises for any weights."""

from pathlib import Path

import pytest
import torch

from cloudfree.networks.sar2opt import Sar2Opt
from tests.factories.golden_weights import golden_arrays, golden_shapes, golden_weights, shapes
from tests.factories.networks import (
    assert_independent_of_batch,
    assert_repeatable,
    lively,
    noise,
    parameters,
    unreached,
)


def test_golden_output(golden: Path) -> None:
    folder = golden / "sar2opt" / "unet128_small"
    network = Sar2Opt(levels=7, channels=8).eval()
    network.load_state_dict(network.state_dict() | golden_weights(folder), strict=True)
    x = golden_arrays(folder / "inputs.npz")["x"]
    with torch.inference_mode():
        result = network(x)
    expected = golden_arrays(folder / "outputs.npz")["out"]
    torch.testing.assert_close(result["image"], expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize(
    ("path", "levels", "channels"),
    [
        ("unet128_small/state_dict.json", 7, 8),
        ("unet128_full/state_dict.json", 7, 64),
        ("unet256_state_dict.json", 8, 64),
    ],
)
def test_keys_and_shapes(golden: Path, path: str, levels: int, channels: int) -> None:
    with torch.device("meta"):
        network = Sar2Opt(levels=levels, channels=channels)
    assert shapes(network) == golden_shapes(golden / "sar2opt" / path)


def test_parameters() -> None:
    with torch.device("meta"):
        assert parameters(Sar2Opt()) == 54_433_421
        assert parameters(Sar2Opt(levels=7)) == 41_848_461


@pytest.mark.parametrize(("levels", "y", "x"), [(7, 128, 384), (8, 256, 256), (6, 64, 192)])
def test_multiples_of_two_to_the_levels(levels: int, y: int, x: int) -> None:
    network = Sar2Opt(levels=levels, channels=2)
    assert 2**levels == network.SIZE_MULTIPLE
    image = lively(network)(noise(1, 2, y, x))["image"]
    assert image.shape == (1, 13, y, x)
    assert image.abs().max() <= 1


def test_gradients_reach_every_parameter() -> None:
    network = lively(Sar2Opt(levels=6, channels=2))
    assert unreached(network, noise(2, 2, 128, 128)) == set()


def test_tiles_are_independent_and_repeatable() -> None:
    network = lively(Sar2Opt(levels=6, channels=4))
    assert_independent_of_batch(network, noise(3, 2, 64, 64))
    assert_repeatable(network, noise(1, 2, 64, 128))


@pytest.mark.parametrize(("levels", "dropouts"), [(7, 2), (8, 3)])
def test_dropout_sits_in_the_inner_levels_only(levels: int, dropouts: int) -> None:
    network = Sar2Opt(levels=levels, channels=1)
    found = [name for name, part in network.named_modules() if isinstance(part, torch.nn.Dropout)]
    assert len(found) == dropouts
    assert min(name.count(".model") for name in found) == 5  # below the widening levels
