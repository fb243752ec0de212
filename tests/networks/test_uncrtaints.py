from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from torch import Tensor

from cloudfree.networks.uncrtaints import UnCRtainTS, coarsen
from tests.factories.golden_weights import golden_arrays, golden_shapes, golden_weights, shapes

GOLDEN: dict[str, dict[str, Any]] = {
    "mono_l2": {"variance": False, "scale_by": 1.0},
    "mono_mgnll": {"scale_by": 1.0},
    "mono_mgnll_scale10": {},
    "mono_residual_block": {"variance": False, "scale_by": 1.0, "block": "residual"},
    "multi_t3": {"multi_date": True},
}
PARAMETERS = {
    "mono_l2": 518_541,
    "mono_mgnll": 520_218,
    "mono_mgnll_scale10": 520_218,
    "mono_residual_block": 2_665_101,
    "multi_t3": 570_010,
}
WITHOUT_INFLUENCE = {
    "temporal_encoder.inconv.bias",
    "temporal_encoder.in_norm.bias",
    "temporal_encoder.attention_heads.fc1_k.bias",
}
KINDS: list[dict[str, Any]] = [
    {},
    {"variance": False},
    {"block": "residual"},
    {"multi_date": True},
    {"multi_date": True, "block": "residual", "variance": False},
]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


def small(**settings: Any) -> UnCRtainTS:
    """A slim network whose batch norms have met data."""
    torch.manual_seed(1)
    network = UnCRtainTS(width=32, blocks=2, **settings)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
    return network.eval()


def tiles(n: int, y: int, x: int, t: int | None = None) -> tuple[Tensor, ...]:
    """Noise with the range of reflectance and of scaled backscatter; with ``t`` also dates."""
    generator = torch.Generator().manual_seed(0)
    lead = (n,) if t is None else (n, t)
    optical = torch.rand(*lead, 13, y, x, generator=generator)
    sar = torch.rand(*lead, 2, y, x, generator=generator)
    if t is None:
        return optical, sar
    return optical, sar, 1200 + torch.arange(n * t).reshape(n, t) * 11.5


def tiles_for(kind: dict[str, Any], n: int = 2) -> tuple[Tensor, ...]:
    return tiles(n, 33, 35, t=3) if kind.get("multi_date") else tiles(n, 33, 35)


class TestGolden:
    @pytest.mark.parametrize("name", GOLDEN)
    def test_the_result_is_that_of_the_published_network(self, golden: Path, name: str) -> None:
        folder = golden / "uncrtaints" / name
        network = UnCRtainTS(**GOLDEN[name]).eval()
        # The count of training batches is not among rebuilt weights and has no influence.
        missing = network.load_state_dict(golden_weights(folder), strict=False)
        assert not [key for key in missing.missing_keys if "num_batches" not in key]
        assert not missing.unexpected_keys
        inputs = {key: array[:1] for key, array in golden_arrays(folder / "inputs.npz").items()}
        sar, optical = inputs["x"][:, :, :2], inputs["x"][:, :, 2:]
        with torch.inference_mode():
            if "dates" in inputs:
                result = network(optical, sar, inputs["dates"])
            else:
                result = network(optical[:, 0], sar[:, 0])
        scale = GOLDEN[name].get("scale_by", 10.0)
        mean, *variance = golden_arrays(folder / "outputs.npz")["out"][:1, 0].tensor_split([13], 1)
        torch.testing.assert_close(result["image"] * scale, mean, rtol=0, atol=1e-5 * scale)
        variance = [wanted for wanted in variance if wanted.numel()]
        assert ("variance" in result) == bool(variance)
        for wanted in variance:
            torch.testing.assert_close(result["variance"] * scale**2, wanted, rtol=0, atol=5e-5)

    @pytest.mark.parametrize("name", GOLDEN)
    def test_tensors_have_the_published_names_order_and_shapes(
        self, golden: Path, name: str
    ) -> None:
        with torch.device("meta"):
            network = UnCRtainTS(**GOLDEN[name])
        assert shapes(network) == golden_shapes(golden / "uncrtaints" / name / "state_dict.json")


@pytest.mark.parametrize("name", GOLDEN)
def test_it_has_the_published_number_of_parameters(name: str) -> None:
    with torch.device("meta"):
        network = UnCRtainTS(**GOLDEN[name])
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name]


@hypothesis_settings(max_examples=15)
@given(y=st.integers(2, 40), x=st.integers(2, 40), variance=st.booleans())
def test_the_result_has_the_shape_of_the_optical_tile(y: int, x: int, variance: bool) -> None:
    optical, sar = tiles(1, y, x)
    with torch.inference_mode():
        result = small(variance=variance)(optical, sar)
    assert {image.shape for image in result.values()} == {optical.shape}
    assert result.keys() == ({"image", "variance"} if variance else {"image"})


@hypothesis_settings(max_examples=6)
@given(y=st.integers(32, 70), x=st.integers(32, 70), t=st.integers(1, 4))
def test_several_dates_give_one_image(y: int, x: int, t: int) -> None:
    with torch.inference_mode():
        result = small(multi_date=True)(*tiles(1, y, x, t))
    assert result["image"].shape == result["variance"].shape == (1, 13, y, x)
    assert result["attention"].shape == (1, t, 16, 32, 32)


def test_without_sar_it_takes_the_optical_tile_alone() -> None:
    optical, _, dates = tiles(1, 32, 32, t=2)
    with torch.inference_mode():
        assert small(sar_bands=0)(optical[:, 0])["image"].shape == (1, 13, 32, 32)
        several = small(sar_bands=0, multi_date=True)
        assert several(optical, dates=dates)["image"].shape == (1, 13, 32, 32)


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_image_and_variance_are_on_the_scale_of_reflectance(scale: float) -> None:
    network, inputs = small(scale_by=scale), tiles(1, 16, 16)
    torch.nn.init.zeros_(network.get_parameter("out_conv.conv.conv.0.weight"))
    torch.nn.init.zeros_(network.get_parameter("out_conv.conv.conv.0.bias"))
    with torch.inference_mode():
        result = network(*inputs)
    smallest = 1e-9 if scale == 1.0 else 1e-3
    variance = (torch.tensor(2.0).log() + smallest) / scale**2
    assert torch.equal(result["image"], torch.full((1, 13, 16, 16), 0.5))
    torch.testing.assert_close(result["variance"], variance.expand(1, 13, 16, 16))


def test_what_is_stacked_is_multiplied_by_the_scale_before_the_first_layer() -> None:
    plain, scaled = small(scale_by=1.0, variance=False), small(scale_by=4.0, variance=False)
    optical, sar = tiles(1, 16, 16)
    with torch.inference_mode():
        torch.testing.assert_close(
            scaled(optical, sar)["image"], plain(4 * optical, 4 * sar)["image"]
        )


class TestSeveralDates:
    def test_one_date_gives_the_result_of_the_network_for_one_date(self) -> None:
        several, single = small(multi_date=True), small()
        weights = several.state_dict()
        single.load_state_dict({key: weights[key] for key in single.state_dict()})
        optical, sar, dates = tiles(2, 40, 36, t=1)
        with torch.inference_mode():
            dated = several(optical, sar, dates)
            undated = several(optical[:, 0], sar[:, 0])
            alone = single(optical[:, 0], sar[:, 0])
        for name in ("image", "variance"):
            torch.testing.assert_close(dated[name], alone[name], rtol=0, atol=1e-6)
            assert torch.equal(undated[name], alone[name])

    def test_the_published_weights_for_several_dates_do_so_too(self, golden: Path) -> None:
        folder = golden / "uncrtaints"
        several = UnCRtainTS(multi_date=True).eval()
        several.load_state_dict(golden_weights(folder / "mono_mgnll_scale10"), strict=False)
        stacked = golden_arrays(folder / "mono_mgnll_scale10" / "inputs.npz")["x"][:1]
        with torch.inference_mode():
            result = several(stacked[:, :, 2:], stacked[:, :, :2], torch.tensor([[1200.0]]))
        image = result["image"]
        wanted = golden_arrays(folder / "mono_mgnll_scale10" / "outputs.npz")["out"][:1, 0, :13]
        torch.testing.assert_close(10 * image, wanted, rtol=0, atol=1e-4)

    def test_attention_is_shared_out_over_the_dates(self) -> None:
        with torch.inference_mode():
            attention = small(multi_date=True)(*tiles(2, 32, 32, t=3))["attention"]
        torch.testing.assert_close(attention.sum(dim=1), torch.ones(2, 16, 32, 32))
        assert attention.std(dim=1).min() > 0

    def test_the_order_of_the_dates_does_not_matter(self) -> None:
        network, inputs = small(multi_date=True), tiles(1, 32, 40, t=3)
        with torch.inference_mode():
            there = network(*inputs)["image"]
            back = network(*(array.flip(1) for array in inputs))["image"]
        torch.testing.assert_close(back, there, rtol=0, atol=1e-5)

    def test_the_day_of_a_date_matters(self) -> None:
        network, (optical, sar, dates) = small(multi_date=True), tiles(1, 32, 32, t=2)
        with torch.inference_mode():
            near = network(optical, sar, dates)["attention"]
            far = network(optical, sar, dates * torch.tensor([[1.0, 1.02]]))["attention"]
        assert (near - far).abs().max() > 1e-4

    def test_a_date_of_zeros_gets_no_attention_and_its_day_does_not_matter(self) -> None:
        network, (optical, sar, dates) = small(multi_date=True), tiles(2, 32, 40, t=3)
        optical[0, 1], sar[0, 1] = 0, 0
        moved = dates.clone()
        moved[0, 1] = 0
        with torch.inference_mode():
            result, same = network(optical, sar, dates), network(optical, sar, moved)
        assert result["attention"][0, 1].abs().max() == 0
        assert result["attention"][1, 1].min() > 0
        assert torch.equal(result["image"], same["image"])

    def test_the_features_of_a_date_of_zeros_are_zero(self) -> None:
        network, (optical, sar, dates) = small(multi_date=True), tiles(2, 32, 40, t=3)
        optical[0, 1], sar[0, 1] = 0, 0
        described: list[Tensor] = []
        network.temporal_encoder.register_forward_pre_hook(
            lambda _, inputs: described.append(inputs[0])
        )
        with torch.inference_mode():
            network(optical, sar, dates)
        zeros = (described[0] == 0).flatten(2).all(dim=2)
        assert zeros.nonzero().tolist() == [[0, 1]]

    @pytest.mark.parametrize("size", [(32, 32), (64, 96), (33, 32), (100, 70)])
    def test_coarse_features_are_the_largest_of_each_part(self, size: tuple[int, int]) -> None:
        features = torch.rand(1, 2, *size)
        wanted = torch.nn.functional.adaptive_max_pool2d(features, 32)
        assert torch.equal(coarsen(features), wanted)

    def test_without_any_date_the_result_is_still_a_number(self) -> None:
        optical, sar, dates = tiles(1, 32, 32, t=2)
        with torch.inference_mode():
            result = small(multi_date=True)(0 * optical, 0 * sar, dates)
        assert result["attention"].abs().max() == 0
        assert torch.isfinite(result["image"]).all()

    @pytest.mark.parametrize("name", sorted(WITHOUT_INFLUENCE))
    def test_biases_that_all_dates_share_have_no_influence(self, name: str) -> None:
        network, inputs = small(multi_date=True), tiles(1, 32, 32, t=3)
        with torch.inference_mode():
            before = network(*inputs)["image"]
            network.get_parameter(name).add_(0.5)
            after = network(*inputs)["image"]
        torch.testing.assert_close(after, before, rtol=0, atol=1e-5)

    def test_training_drops_some_of_the_attention(self) -> None:
        network, inputs = small(multi_date=True), tiles(1, 32, 32, t=3)
        for module in network.modules():
            if not isinstance(module, torch.nn.BatchNorm2d):
                module.training = True
        with torch.inference_mode():
            torch.manual_seed(3)
            first = network(*inputs)["image"]
            assert not torch.equal(first, network(*inputs)["image"])
            network.eval()
            assert torch.equal(network(*inputs)["image"], network(*inputs)["image"])


def unreached(network: UnCRtainTS, inputs: tuple[Tensor, ...]) -> set[str]:
    """Parameters without gradient, where rounding is all there is."""
    sum(image.square().mean() for image in network.double()(*inputs).values()).backward()
    return {
        name
        for name, p in network.named_parameters()
        if p.grad is None or p.grad.abs().max() < 1e-14
    }


@every_kind
def test_gradients_reach_every_parameter_that_has_influence(kind: dict[str, Any]) -> None:
    inputs = tuple(array.double() for array in tiles_for(kind))
    assert unreached(small(**kind), inputs) == (
        WITHOUT_INFLUENCE if kind.get("multi_date") else set()
    )


def test_with_one_date_the_attention_has_no_influence() -> None:
    network = small(multi_date=True)
    inputs = tuple(array.double() for array in tiles(1, 32, 32, t=1))
    attention = {name for name, _ in network.named_parameters() if "temporal_encoder" in name}
    assert len(attention) == 7
    assert unreached(network, inputs) == attention


@every_kind
def test_a_tile_does_not_depend_on_its_batch(kind: dict[str, Any]) -> None:
    network, inputs = small(**kind), tiles_for(kind, n=3)
    with torch.inference_mode():
        together = network(*inputs)
        alone = [network(*(array[i : i + 1] for array in inputs)) for i in range(3)]
    for name, image in together.items():
        one_by_one = torch.cat([result[name] for result in alone])
        torch.testing.assert_close(image, one_by_one, rtol=0, atol=1e-5)


@every_kind
def test_a_seed_fixes_weights_and_result(kind: dict[str, Any]) -> None:
    with torch.inference_mode():
        first, second = (small(**kind)(*tiles_for(kind)) for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@every_kind
def test_it_does_not_change_its_inputs(kind: dict[str, Any]) -> None:
    inputs = tiles_for(kind)
    before = [array.clone() for array in inputs]
    with torch.inference_mode():
        small(**kind)(*inputs)
    assert all(torch.equal(a, b) for a, b in zip(inputs, before, strict=True))
