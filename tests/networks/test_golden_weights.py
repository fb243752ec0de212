"""The recipe makes the weights that the golden folders store."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.factories.golden_weights import read_json, rebuilt


@pytest.mark.parametrize("name", ["mcgan/rgbn4_small", "simulation_fusion_gan/G1_s1_2to13_small"])
def test_rebuilt_weights_equal_the_stored_ones(golden: Path, name: str) -> None:
    gains = read_json(golden / name / "meta.json")["gains"]
    stored = load_file(golden / name / "weights.safetensors")
    floats = {key: value for key, value in stored.items() if value.is_floating_point()}
    assert len(floats) > 50
    for key, value in floats.items():
        assert torch.equal(rebuilt(key, list(value.shape), gains), value), key
