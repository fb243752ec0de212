"""The network of the default model: what it promises whatever its weights, and as shipped."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from cloudfree.networks.cloudfree_s import CloudfreeS, cloud_score, snow_index

MODEL = Path(__file__).parents[2] / "models" / "cloudfree-s"
MAX_PARAMETERS = 3_000_000


def tiles(n: int, y: int, x: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noise with the range of reflectance and of scaled backscatter."""
    generator = torch.Generator().manual_seed(seed)
    optical = 0.6 * torch.rand(n, 13, y, x, generator=generator)
    return optical, torch.rand(n, 2, y, x, generator=generator)


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return tomllib.loads((MODEL / "card.toml").read_text())


@pytest.fixture(scope="module")
def untrained() -> CloudfreeS:
    torch.manual_seed(1)
    return CloudfreeS().eval()


@pytest.fixture(scope="module")
def shipped(card: dict[str, Any]) -> CloudfreeS:
    network = CloudfreeS(**card["network_settings"])
    network.load_state_dict(load_file(MODEL / card["weights"]), strict=True)
    return network.eval()


def test_it_is_small(untrained: CloudfreeS) -> None:
    assert sum(parameter.numel() for parameter in untrained.parameters()) <= MAX_PARAMETERS


@pytest.mark.parametrize(("y", "x"), [(16, 16), (64, 96), (144, 48), (256, 256), (272, 400)])
def test_the_result_has_the_shape_of_the_optical_tile(
    untrained: CloudfreeS, y: int, x: int
) -> None:
    optical, sar = tiles(1, y, x)
    with torch.inference_mode():
        result = untrained(optical, sar)["image"]
    assert result.shape == optical.shape
    assert torch.isfinite(result).all()


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(2)
    network = CloudfreeS()
    network(*tiles(2, 64, 64))["image"].square().mean().backward()
    unreached = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert unreached == []


def test_a_tile_does_not_depend_on_its_batch(untrained: CloudfreeS) -> None:
    optical, sar = tiles(3, 64, 64)
    with torch.inference_mode():
        together = untrained(optical, sar)["image"]
        alone = torch.cat(
            [untrained(optical[i : i + 1], sar[i : i + 1])["image"] for i in range(3)]
        )
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_the_same_tile_gives_the_same_result(untrained: CloudfreeS) -> None:
    optical, sar = tiles(1, 64, 64)
    with torch.inference_mode():
        first, second = (untrained(optical, sar)["image"] for _ in range(2))
    assert torch.equal(first, second)


def test_it_does_not_change_its_inputs(untrained: CloudfreeS) -> None:
    optical, sar = tiles(1, 64, 64)
    before = optical.clone(), sar.clone()
    with torch.inference_mode():
        untrained(optical, sar)
    assert torch.equal(optical, before[0])
    assert torch.equal(sar, before[1])


@pytest.mark.parametrize("reflectance", [0.0, 1.0])
def test_black_and_white_tiles_give_numbers(untrained: CloudfreeS, reflectance: float) -> None:
    optical, sar = torch.full((1, 13, 32, 32), reflectance), torch.zeros(1, 2, 32, 32)
    with torch.inference_mode():
        assert torch.isfinite(untrained(optical, sar)["image"]).all()


def test_the_size_of_the_network_is_an_argument() -> None:
    slim = CloudfreeS(channels=(16, 24, 32), blocks=(1, 1, 1), sar_channels=16, heads=2, memory=4)
    optical, sar = tiles(1, 32, 32)
    assert slim(optical, sar)["image"].shape == optical.shape


def test_white_scores_as_cloud_and_dark_ground_does_not() -> None:
    assert cloud_score(torch.full((1, 13, 16, 16), 0.8)).min() == pytest.approx(1.0)
    assert cloud_score(torch.full((1, 13, 16, 16), 0.05)).max() == 0.0


def test_snow_is_bright_in_green_and_dark_in_infrared() -> None:
    optical = torch.zeros(1, 13, 4, 4)
    optical[:, 2], optical[:, 11] = 0.9, 0.1
    torch.testing.assert_close(snow_index(optical), torch.full((1, 1, 4, 4), 0.8))


class TestShipped:
    """The weights in the model folder."""

    def test_the_card_declares_what_the_network_can_do(self, card: dict[str, Any]) -> None:
        assert (card["network"], card["class"]) == ("cloudfree_s", "CloudfreeS")
        assert card["tile"]["size"] % card["tile"]["multiple"] == 0
        assert len(card["optical"]["bands"]) == len(card["output"]["bands"]) == 13

    def test_overcast_ground_comes_out_darker_than_the_cloud(self, shipped: CloudfreeS) -> None:
        generator = torch.Generator().manual_seed(3)
        ground = torch.full((1, 13, 128, 128), 0.12)
        cloudy = ground.clone()
        cloudy[:, :, 32:96, 32:96] = 0.8
        sar = 0.5 + 0.05 * torch.randn(1, 2, 128, 128, generator=generator)
        with torch.inference_mode():
            result = shipped(cloudy, sar)["image"]
        assert result[:, :, 40:88, 40:88].mean() < 0.3

    def test_it_follows_the_colour_of_the_clear_ground(self, shipped: CloudfreeS) -> None:
        restored = []
        for reflectance in (0.08, 0.16):
            optical = torch.full((1, 13, 128, 128), reflectance)
            optical[:, :, 32:96, 32:96] = 0.8
            with torch.inference_mode():
                result = shipped(optical, torch.full((1, 2, 128, 128), 0.5))["image"]
            restored.append(float(result[:, :, 40:88, 40:88].mean()))
        assert restored[0] < restored[1]


def test_the_texture_of_a_cloud_does_not_show(untrained: CloudfreeS) -> None:
    """A glimpse of its colour does, in blocks of 16 pixels: their pixels may change places."""
    _, sar = tiles(1, 64, 64)
    cloud = 0.6 + 0.3 * torch.rand(1, 13, 4, 4, 256, generator=torch.Generator().manual_seed(1))
    order = torch.randperm(256, generator=torch.Generator().manual_seed(2))

    def laid_out(blocks: torch.Tensor) -> torch.Tensor:
        pixels = blocks.unflatten(4, (16, 16)).permute(0, 1, 2, 4, 3, 5)
        return pixels.reshape(1, 13, 64, 64).contiguous()

    with torch.inference_mode():
        one, other = (
            untrained(laid_out(blocks), sar)["image"] for blocks in (cloud, cloud[..., order])
        )
    torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("hidden", [True, False])
def test_a_cloud_of_a_few_pixels_is_hidden_but_not_in_training(
    untrained: CloudfreeS, hidden: bool
) -> None:
    optical, sar = torch.full((1, 13, 64, 64), 0.1), torch.full((1, 2, 64, 64), 0.5)
    white, whiter = optical.clone(), optical.clone()
    white[:, :, 32:35, 32:35], whiter[:, :, 32:35, 32:35] = 0.7, 0.8
    with torch.inference_mode():
        one, other = (
            untrained.restore(seen, sar, specks_hidden=hidden)[0][0, :, 33, 33]
            for seen in (white, whiter)
        )
    difference = float((one - other).abs().max())
    assert difference < 1e-3 if hidden else difference > 1e-2


def test_ground_without_a_clear_pixel_has_no_voice_in_the_recall(untrained: CloudfreeS) -> None:
    """Black is the sum of no colour; it must not darken what is remembered."""
    _, sar = tiles(1, 64, 64)
    network = copy.deepcopy(untrained)
    with torch.no_grad():
        network.recall.memory_colour.fill_(0.25)
        _, colour = network.restore(torch.full((1, 13, 64, 64), 0.9), sar)
    torch.testing.assert_close(colour, torch.full_like(colour, 0.25), rtol=0, atol=1e-3)
