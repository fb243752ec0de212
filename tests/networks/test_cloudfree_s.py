"""The network of the default model: what it promises whatever its weights, and as shipped."""

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from cloudfree.networks.cloudfree_s import (
    SHADE_CONTRAST,
    CloudfreeS,
    cloud_score,
    shade_texture,
    snow_index,
)
from tests.factories.rasters import FIELD

MODEL = Path(__file__).parents[2] / "models" / "cloudfree-s"
MAX_PARAMETERS = 3_000_000


def tiles(n: int, y: int, x: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Noise with the range of reflectance and of scaled backscatter, the left half in shadow."""
    generator = torch.Generator().manual_seed(seed)
    optical = 0.6 * torch.rand(n, 13, y, x, generator=generator)
    shadow = no_shadow(optical)
    shadow[..., : x // 2] = 1.0
    return optical, torch.rand(n, 2, y, x, generator=generator), shadow


def no_shadow(optical: Tensor) -> Tensor:
    """No shadow is known in a tile."""
    return torch.zeros_like(optical[:, :1])


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
    inputs = tiles(1, y, x)
    with torch.inference_mode():
        result = untrained(*inputs)["image"]
    assert result.shape == inputs[0].shape
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
    inputs = tiles(3, 64, 64)
    with torch.inference_mode():
        together = untrained(*inputs)["image"]
        alone = torch.cat(
            [untrained(*(one[i : i + 1] for one in inputs))["image"] for i in range(3)]
        )
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_the_same_tile_gives_the_same_result(untrained: CloudfreeS) -> None:
    inputs = tiles(1, 64, 64)
    with torch.inference_mode():
        first, second = (untrained(*inputs)["image"] for _ in range(2))
    assert torch.equal(first, second)


def test_it_does_not_change_its_inputs(untrained: CloudfreeS) -> None:
    inputs = tiles(1, 64, 64)
    before = [one.clone() for one in inputs]
    with torch.inference_mode():
        untrained(*inputs)
    assert all(torch.equal(one, other) for one, other in zip(inputs, before, strict=True))


@pytest.mark.parametrize("reflectance", [0.0, 1.0])
def test_black_and_white_tiles_give_numbers(untrained: CloudfreeS, reflectance: float) -> None:
    optical, sar = torch.full((1, 13, 32, 32), reflectance), torch.zeros(1, 2, 32, 32)
    with torch.inference_mode():
        for shadow in (no_shadow(optical), 1.0 - no_shadow(optical)):
            assert torch.isfinite(untrained(optical, sar, shadow)["image"]).all()


def test_the_size_of_the_network_is_an_argument() -> None:
    slim = CloudfreeS(channels=(16, 24, 32), blocks=(1, 1, 1), sar_channels=16, heads=2, memory=4)
    inputs = tiles(1, 32, 32)
    assert slim(*inputs)["image"].shape == inputs[0].shape


def test_white_scores_as_cloud_and_dark_ground_does_not() -> None:
    assert cloud_score(torch.full((1, 13, 16, 16), 0.8)).min() == pytest.approx(1.0)
    assert cloud_score(torch.full((1, 13, 16, 16), 0.05)).max() == 0.0


def test_snow_is_bright_in_green_and_dark_in_infrared() -> None:
    optical = torch.zeros(1, 13, 4, 4)
    optical[:, 2], optical[:, 11] = 0.9, 0.1
    torch.testing.assert_close(snow_index(optical), torch.full((1, 1, 4, 4), 0.8))


def test_the_texture_of_a_shadow_is_that_of_its_ground_in_full_light() -> None:
    """What shadow takes it takes of all pixels alike: the texture does not know how much."""
    ground = 0.05 + 0.3 * torch.rand(1, 13, 64, 64, generator=torch.Generator().manual_seed(4))
    everywhere = torch.ones(1, 1, 64, 64)
    lit, dim = (shade_texture(light * ground, everywhere) for light in (1.0, 0.5))
    torch.testing.assert_close(lit, dim, rtol=0.03, atol=0)


def test_the_texture_of_a_shadow_is_one_where_all_is_alike_and_bounded_beside_it() -> None:
    optical, shadow = torch.full((1, 13, 64, 64), 0.05), torch.zeros(1, 1, 64, 64)
    shadow[..., :32], optical[..., 32:] = 1.0, 0.6
    texture = shade_texture(optical, shadow)
    torch.testing.assert_close(texture[..., :32], torch.ones(1, 13, 64, 32))
    assert texture.max() <= SHADE_CONTRAST


def test_ground_in_shadow_has_no_voice_in_the_recall(untrained: CloudfreeS) -> None:
    """Its colour is not that of clear ground, which is what is to be recalled."""
    _, sar, _ = tiles(1, 64, 64)
    optical, shadow = torch.full((1, 13, 64, 64), 0.1), torch.zeros(1, 1, 64, 64)
    shadow[..., :32, :] = 1.0
    darker = torch.where(shadow > 0, 0.02, optical)
    network = copy.deepcopy(untrained)
    with torch.no_grad():
        network.recall.memory_weight.fill_(-50.0)
        _, colour = network.fill(darker, sar, shadow)
    torch.testing.assert_close(colour, torch.full_like(colour, 0.1), rtol=0, atol=1e-3)


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
            result = shipped(cloudy, sar, no_shadow(cloudy))["image"]
        assert result[:, :, 40:88, 40:88].mean() < 0.3

    def test_it_follows_the_colour_of_the_clear_ground(self, shipped: CloudfreeS) -> None:
        for light in (0.5, 1.0, 1.5):
            ground = light * torch.tensor(FIELD).reshape(1, 13, 1, 1).repeat(1, 1, 128, 128)
            optical = ground.clone()
            optical[:, :, 32:96, 32:96] = 0.8
            with torch.inference_mode():
                sar = torch.full((1, 2, 128, 128), 0.5)
                result = shipped(optical, sar, no_shadow(optical))["image"]
            filled = float(result[:, :, 40:88, 40:88].mean())
            assert filled == pytest.approx(float(ground.mean()), rel=0.15)

    def test_a_shadow_gets_the_light_of_the_ground_around_it(self, shipped: CloudfreeS) -> None:
        """Its stripes stay: dark ones are dark and bright ones bright."""
        ground = torch.tensor(FIELD).reshape(1, 13, 1, 1).repeat(1, 1, 128, 128)
        ground[..., ::8, :] *= 1.5
        shadow = no_shadow(ground)
        shadow[..., 40:88, 40:88] = 1.0
        dim = torch.where(shadow > 0, 0.5 * ground, ground)
        with torch.inference_mode():
            result = shipped(dim, torch.full((1, 2, 128, 128), 0.5), shadow)["image"]
        inside = result[0, :, 48:80, 48:80].mean(dim=(0, 2))
        assert float(inside.mean()) > 0.85 * float(ground.mean())
        assert float(inside[::8].mean()) > 1.15 * float(inside.mean())


def test_the_texture_of_a_cloud_does_not_show(untrained: CloudfreeS) -> None:
    """A glimpse of its colour does, in blocks of 16 pixels: their pixels may change places."""
    _, sar, shadow = tiles(1, 64, 64)
    cloud = 0.6 + 0.3 * torch.rand(1, 13, 4, 4, 256, generator=torch.Generator().manual_seed(1))
    order = torch.randperm(256, generator=torch.Generator().manual_seed(2))

    def laid_out(blocks: torch.Tensor) -> torch.Tensor:
        pixels = blocks.unflatten(4, (16, 16)).permute(0, 1, 2, 4, 3, 5)
        return pixels.reshape(1, 13, 64, 64).contiguous()

    with torch.inference_mode():
        one, other = (
            untrained(laid_out(blocks), sar, shadow)["image"]
            for blocks in (cloud, cloud[..., order])
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
            untrained.fill(seen, sar, no_shadow(seen), specks_hidden=hidden)[0][0, :, 33, 33]
            for seen in (white, whiter)
        )
    difference = float((one - other).abs().max())
    assert difference < 1e-3 if hidden else difference > 1e-2


def test_only_training_returns_the_recalled_colour_and_shows_specks_if_asked() -> None:
    inputs = tiles(1, 64, 64)
    torch.manual_seed(1)
    hiding = CloudfreeS()
    showing = CloudfreeS(specks_shown=True)
    showing.load_state_dict(hiding.state_dict())
    outputs = {network.specks_shown: network(*inputs) for network in (hiding, showing)}
    assert outputs[False]["colour"].shape == (1, 13, 8, 8)
    assert not torch.equal(outputs[False]["image"], outputs[True]["image"])
    for network, hidden in ((hiding, True), (showing, False)):
        same = network.fill(*inputs, specks_hidden=hidden)[0]
        assert torch.equal(outputs[not hidden]["image"], same)
    predicted = [network.eval()(*inputs) for network in (hiding, showing)]
    assert [list(one) for one in predicted] == [["image"], ["image"]]
    assert torch.equal(predicted[0]["image"], predicted[1]["image"])


def test_ground_without_a_clear_pixel_has_no_voice_in_the_recall(untrained: CloudfreeS) -> None:
    """Black is the sum of no colour; it must not darken what is remembered."""
    _, sar, shadow = tiles(1, 64, 64)
    network = copy.deepcopy(untrained)
    with torch.no_grad():
        network.recall.memory_colour.fill_(0.25)
        _, colour = network.fill(torch.full((1, 13, 64, 64), 0.9), sar, shadow)
    torch.testing.assert_close(colour, torch.full_like(colour, 0.25), rtol=0, atol=1e-3)
