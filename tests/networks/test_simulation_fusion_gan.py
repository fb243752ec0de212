"""Simulation-Fusion GAN: each stage against its golden output, and both joined."""

from pathlib import Path

import pytest
import torch

from cloudfree.networks.simulation_fusion_gan import ResnetGenerator, SimulationFusionGan
from tests.factories.golden_weights import golden_arrays, golden_shapes, golden_weights, shapes
from tests.factories.networks import (
    assert_independent_of_batch,
    assert_repeatable,
    lively,
    noise,
    parameters,
    unreached,
)

STAGES = [
    ("G1_s1_2to13_small", 2, 8),
    ("G1_s1_2to13_full", 2, 64),
    ("G2_28to13_small", 28, 8),
    ("G2_28to13_full", 28, 64),
]


@pytest.mark.parametrize(("name", "bands", "channels"), STAGES[:3])
def test_golden_output_of_a_stage(golden: Path, name: str, bands: int, channels: int) -> None:
    folder = golden / "simulation_fusion_gan" / name
    network = ResnetGenerator(bands, 13, channels).eval()
    network.load_state_dict(network.state_dict() | golden_weights(folder), strict=True)
    with torch.inference_mode():
        image = network(golden_arrays(folder / "inputs.npz")["x"])
    expected = golden_arrays(folder / "outputs.npz")["out"]
    torch.testing.assert_close(image, expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize(("name", "bands", "channels"), STAGES)
def test_keys_and_shapes_of_a_stage(golden: Path, name: str, bands: int, channels: int) -> None:
    expected = golden_shapes(golden / "simulation_fusion_gan" / name / "state_dict.json")
    with torch.device("meta"):
        assert shapes(ResnetGenerator(bands, 13, channels)) == expected


def test_both_stages_take_the_weights_of_two_files(golden: Path) -> None:
    folder = golden / "simulation_fusion_gan"
    first = golden_weights(folder / "G1_s1_2to13_small")
    second = golden_weights(folder / "G2_28to13_small")
    joined = {f"simulation.{key}": value for key, value in first.items()}
    joined |= {f"fusion.{key}": value for key, value in second.items()}
    network = SimulationFusionGan(channels=8).eval()
    network.load_state_dict(joined, strict=True)

    seen = golden_arrays(folder / "G2_28to13_small" / "inputs.npz")["x"]
    sar, optical = seen[:, :2], seen[:, 2:15]
    with torch.inference_mode():
        result = network(optical, sar)
        fused = network.fusion(torch.cat([sar, optical, result["simulated"]], dim=1))
    expected = golden_arrays(folder / "G1_s1_2to13_small" / "outputs.npz")["out"]
    torch.testing.assert_close(result["simulated"], expected, rtol=0, atol=5e-6)
    assert torch.equal(result["image"], fused)


def test_parameters() -> None:
    with torch.device("meta"):
        network = SimulationFusionGan()
    assert parameters(network.simulation) == 11_411_661
    assert parameters(network.fusion) == 11_493_197


def test_weights_without_dropout_count_the_layers_of_a_block_differently() -> None:
    with torch.device("meta"):
        keys = ResnetGenerator(2, 13, 8, dropout=False).state_dict().keys()
    in_block = {key.split(".")[3] for key in keys if key.startswith("model.10.conv_block.")}
    assert in_block == {"1", "2", "5", "6"}


@pytest.mark.parametrize(("y", "x"), [(8, 8), (8, 36), (28, 12)])
def test_multiples_of_4(y: int, x: int) -> None:
    network = lively(SimulationFusionGan(channels=2))
    result = network(noise(1, 13, y, x), noise(1, 2, y, x))
    assert result["image"].shape == result["simulated"].shape == (1, 13, y, x)
    assert result["image"].abs().max() <= 1


def test_gradients_reach_every_parameter_of_both_stages() -> None:
    network = lively(SimulationFusionGan(channels=2))
    assert unreached(network, noise(2, 13, 32, 32), noise(2, 2, 32, 32)) == set()


def test_tiles_are_independent_and_repeatable() -> None:
    network = lively(SimulationFusionGan(channels=2))
    assert_independent_of_batch(network, noise(3, 13, 16, 20), noise(3, 2, 16, 20))
    assert_repeatable(network, noise(1, 13, 16, 20), noise(1, 2, 16, 20))
