from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cloudfree.networks.dsen2_cr import DSen2CR, ResidualBlock
from tests.factories.golden_weights import golden_arrays, golden_shapes, golden_weights, shapes

BLOCKS = 2
HALO = 2 + 2 * BLOCKS


def small(**settings: int) -> DSen2CR:
    torch.manual_seed(1)
    return DSen2CR(features=6, blocks=BLOCKS, **settings).eval()


def tiles(n: int, y: int, x: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Noise with the range of scaled reflectance and backscatter."""
    generator = torch.Generator().manual_seed(0)
    optical = 5 * torch.rand(n, 13, y, x, generator=generator, dtype=dtype)
    return optical, 2 * torch.rand(n, 2, y, x, generator=generator, dtype=dtype)


class TestGolden:
    @pytest.mark.parametrize("expected", ["outputs.npz", "outputs_keras.npz"])
    def test_the_result_is_that_of_the_published_network(self, golden: Path, expected: str) -> None:
        folder = golden / "dsen2_cr" / "small"
        network = DSen2CR(features=24, blocks=3).eval()
        network.load_state_dict(golden_weights(folder))
        inputs = golden_arrays(folder / "inputs.npz")
        with torch.inference_mode():
            image = network(inputs["opt"], inputs["sar"])["image"]
        wanted = golden_arrays(folder / expected)["out"]
        torch.testing.assert_close(image, wanted, rtol=0, atol=5e-6)

    @pytest.mark.parametrize(
        ("size", "settings"), [("small", {"features": 24, "blocks": 3}), ("full", {})]
    )
    def test_tensors_have_the_published_names_order_and_shapes(
        self, golden: Path, size: str, settings: dict[str, int]
    ) -> None:
        with torch.device("meta"):
            network = DSen2CR(**settings)
        assert shapes(network) == golden_shapes(golden / "dsen2_cr" / size / "state_dict.json")


@pytest.mark.parametrize(("sar_bands", "parameters"), [(2, 18_947_341), (0, 18_942_733)])
def test_it_has_the_published_number_of_parameters(sar_bands: int, parameters: int) -> None:
    with torch.device("meta"):
        network = DSen2CR(sar_bands=sar_bands)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


@settings(max_examples=20)
@given(y=st.integers(1, 40), x=st.integers(1, 40))
def test_the_result_has_the_shape_of_the_optical_tile(y: int, x: int) -> None:
    optical, sar = tiles(1, y, x)
    with torch.inference_mode():
        assert small()(optical, sar)["image"].shape == optical.shape


def test_without_sar_it_takes_the_optical_tile_alone() -> None:
    optical, _ = tiles(2, 9, 11)
    with torch.inference_mode():
        assert small(sar_bands=0)(optical)["image"].shape == optical.shape


def test_it_predicts_what_to_add_to_the_cloudy_image() -> None:
    network, (optical, sar) = small(), tiles(1, 8, 8)
    torch.nn.init.zeros_(network.get_parameter(f"model.{BLOCKS + 2}.weight"))
    torch.nn.init.constant_(network.get_parameter(f"model.{BLOCKS + 2}.bias"), 0.25)
    with torch.inference_mode():
        assert torch.equal(network(optical, sar)["image"], optical + 0.25)


def test_a_block_adds_a_tenth_of_its_correction() -> None:
    block = ResidualBlock(6)
    hidden = torch.rand(1, 6, 5, 5)
    with torch.inference_mode():
        torch.testing.assert_close(block(hidden), hidden + 0.1 * block.conv_block(hidden))


def test_a_pixel_sees_as_far_as_the_halo_and_no_further() -> None:
    optical, sar = tiles(1, 1, 4 * HALO + 1)
    sar.requires_grad_()
    small()(optical, sar)["image"][..., 2 * HALO].sum().backward()
    assert sar.grad is not None
    seen = sar.grad[0, 0, 0].nonzero().flatten().tolist()
    assert (min(seen), max(seen)) == (HALO, 3 * HALO)


def test_a_tile_with_the_halo_around_it_gives_the_result_of_the_scene() -> None:
    network, (optical, sar) = small().double(), tiles(1, 40, 40, torch.float64)
    window, inner = slice(8, 30), slice(HALO, 22 - HALO)
    with torch.inference_mode():
        scene = network(optical, sar)["image"][..., window, window]
        tile = network(optical[..., window, window], sar[..., window, window])["image"]
    difference = (tile - scene).abs()
    assert difference[..., inner, inner].max() < 1e-12
    assert difference[..., HALO - 1, inner].max() > 1e-9


def test_gradients_reach_every_parameter() -> None:
    network = small()
    network(*tiles(2, 16, 16))["image"].square().mean().backward()
    unreached = [
        name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()
    ]
    assert unreached == []


def test_a_tile_does_not_depend_on_its_batch() -> None:
    network, (optical, sar) = small().double(), tiles(3, 16, 16, torch.float64)
    with torch.inference_mode():
        together = network(optical, sar)["image"]
        alone = [network(optical[i : i + 1], sar[i : i + 1])["image"] for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-12)


def test_a_seed_fixes_weights_and_result() -> None:
    with torch.inference_mode():
        first, second = (small()(*tiles(1, 16, 16))["image"] for _ in range(2))
    assert torch.equal(first, second)


def test_convolutions_start_uniform_within_the_limit_of_he() -> None:
    torch.manual_seed(2)
    weight = DSen2CR(features=32, blocks=1).get_parameter("model.2.conv_block.0.weight")
    limit = (6 / (32 * 9)) ** 0.5
    assert 0.99 * limit < weight.abs().max() <= limit
