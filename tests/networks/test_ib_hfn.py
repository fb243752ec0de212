"""IB-HFN: what the design promises, whatever the weights. No weights or outputs are published."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cloudfree.networks.ib_hfn import (
    BottleneckFusion,
    ClearSkyGate,
    DiracSkip,
    IbHfn,
    ResidualUnit,
    infer_settings,
)
from tests.factories.golden_weights import shapes

PARAMETERS = 5_018_702


def tiles(n: int, y: int, x: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    optical = torch.rand(n, 13, y, x, generator=generator)
    return optical, torch.rand(n, 2, y, x, generator=generator)


def small(seed: int = 1, awake: bool = True, **arguments: Any) -> IbHfn:
    """A thin network in eval mode; ``awake``: its residual units do something."""
    torch.manual_seed(seed)
    thin = {"widths": (8, 16, 32), "optical_units": (1, 1, 1), "sar_units": (1, 1, 1),
            "bottleneck": 6, "bottom_units": 1, "up_units": 1}  # fmt: skip
    network = IbHfn(**{**thin, **arguments})
    for module in network.modules():
        if awake and isinstance(module, ResidualUnit):
            torch.nn.init.normal_(module.gamma)
    return network.eval()


def with_gate(logit: float) -> IbHfn:
    """A network whose gate is the same everywhere."""
    network = small()
    torch.nn.init.zeros_(network.fusion.gate.decide.weight)
    torch.nn.init.constant_(network.fusion.gate.decide.bias, logit)
    return network


def test_it_has_the_parameters_of_the_specification() -> None:
    assert sum(parameter.numel() for parameter in IbHfn().parameters()) == PARAMETERS


@settings(max_examples=8)
@given(st.integers(1, 9), st.integers(1, 9))
def test_any_multiple_of_four_goes_in_and_comes_out(rows: int, columns: int) -> None:
    optical, sar = tiles(2, 4 * rows, 4 * columns)
    with torch.inference_mode():
        found = small()(optical, sar)
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "image": (2, 13, 4 * rows, 4 * columns),
        "gate": (2, 1, rows, columns),
        "mu": (2, 6, rows, columns),
        "log_sigma": (2, 6, 1, 1),
    }
    assert all(torch.isfinite(value).all() for value in found.values())


def test_eval_mode_is_deterministic_and_training_mode_samples() -> None:
    network, inputs = small(), tiles(1, 16, 16)
    with torch.inference_mode():
        assert torch.equal(network(*inputs)["image"], network(*inputs)["image"])
        network.train()
        assert not torch.equal(network(*inputs)["image"], network(*inputs)["image"])


def test_a_seed_fixes_the_sample() -> None:
    network, inputs = small().train(), tiles(1, 16, 16)
    images = []
    for _ in range(2):
        torch.manual_seed(5)
        images.append(network(*inputs)["image"])
    assert torch.equal(*images)


def test_the_sample_has_the_mean_and_the_spread_it_is_given() -> None:
    torch.manual_seed(3)
    fusion = BottleneckFusion(16, 4).train()
    seen: list[Tensor] = []
    fusion.widen.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    fused = fusion(torch.randn(2, 16, 128, 128), torch.randn(2, 16, 128, 128))
    noise = (seen[0] - fused.distribution["mu"]) / fused.distribution["log_sigma"].exp()
    assert noise.mean().item() == pytest.approx(0.0, abs=0.02)
    assert noise.std().item() == pytest.approx(1.0, abs=0.02)


def test_eval_mode_takes_the_mean() -> None:
    network, inputs = small(), tiles(1, 16, 16)
    with torch.inference_mode():
        before = network(*inputs)
        torch.nn.init.constant_(network.fusion.log_variance[-1].bias, 3.0)
        after = network(*inputs)
    assert not torch.equal(before["log_sigma"], after["log_sigma"])
    assert torch.equal(before["image"], after["image"])


@pytest.mark.parametrize(("bias", "log_sigma"), [(-100.0, -4.0), (100.0, 2.0)])
def test_the_logarithm_of_the_variance_stays_between_minus_8_and_4(
    bias: float, log_sigma: float
) -> None:
    network = small()
    torch.nn.init.constant_(network.fusion.log_variance[-1].bias, bias)
    found = network(*tiles(1, 8, 8))["log_sigma"]
    assert torch.equal(found, torch.full_like(found, log_sigma))


def test_a_skip_starts_as_the_identity() -> None:
    features, clear = torch.randn(2, 8, 6, 10), torch.ones(2, 1, 6, 10)
    assert torch.equal(DiracSkip(8)(features, clear), features)


def test_a_skip_blocks_what_is_not_clear_before_it_filters() -> None:
    skip = DiracSkip(8)
    torch.nn.init.normal_(skip.convolution.weight)
    features, gate = torch.randn(1, 8, 9, 9), torch.ones(1, 1, 9, 9)
    gate[..., 4, 4] = 0.0
    other = features.clone()
    other[..., 4, 4] = 100.0
    assert torch.equal(skip(features, gate), skip(other, gate))


def test_a_residual_unit_starts_as_the_identity() -> None:
    features = torch.randn(2, 8, 6, 10)
    assert torch.equal(ResidualUnit(8)(features), features)


def test_a_residual_unit_written_out() -> None:
    """x + gamma * conv1(SE(GELU(depthwise(conv1(norm(x)))))), normed over the whole tile."""
    unit = ResidualUnit(8)
    torch.nn.init.normal_(unit.gamma)
    x = 3 * torch.randn(2, 8, 6, 10) + 1
    spread = x.var(dim=(1, 2, 3), correction=0, keepdim=True) + 1e-5
    hidden = unit.widen((x - x.mean(dim=(1, 2, 3), keepdim=True)) / spread.sqrt())
    hidden = torch.nn.functional.gelu(unit.depthwise(hidden))
    hidden = hidden * unit.excite(hidden.mean(dim=(2, 3), keepdim=True)).sigmoid()
    torch.testing.assert_close(unit(x), x + unit.gamma * unit.narrow(hidden))


def test_the_gate_written_out() -> None:
    """sigmoid(conv1(GELU(depthwise(conv1[O, S])) * sigmoid(MLP(mean of O))))."""
    gate = ClearSkyGate(16)
    optical, sar = torch.randn(2, 16, 6, 10), torch.randn(2, 16, 6, 10)
    local = torch.nn.functional.gelu(gate.surroundings(gate.join(torch.cat([optical, sar], dim=1))))
    tile = gate.tile(optical.mean(dim=(2, 3), keepdim=True)).sigmoid()
    torch.testing.assert_close(gate(optical, sar), gate.decide(local * tile).sigmoid())


def test_under_clear_sky_the_fusion_passes_the_optical_features() -> None:
    fusion = with_gate(100.0).fusion
    optical, sar = torch.randn(2, 32, 5, 7), torch.randn(2, 32, 5, 7)
    fused = fusion(optical, sar)
    assert torch.equal(fused.gate, torch.ones(2, 1, 5, 7))
    assert torch.equal(fused.features, optical)


def test_under_clear_sky_the_radar_has_no_say_and_under_cloud_it_has() -> None:
    optical, sar = tiles(1, 16, 16)
    with torch.inference_mode():
        clear, cloudy = with_gate(100.0), with_gate(-200.0)
        assert torch.equal(clear(optical, sar)["image"], clear(optical, 1 - sar)["image"])
        assert not torch.equal(cloudy(optical, sar)["image"], cloudy(optical, 1 - sar)["image"])


def test_under_cloud_the_skips_carry_nothing() -> None:
    network, inputs = with_gate(-200.0), tiles(1, 16, 16)
    with torch.inference_mode():
        before = network(*inputs)["image"]
        for module in network.modules():
            if isinstance(module, DiracSkip):
                torch.nn.init.normal_(module.convolution.weight)
        assert torch.equal(network(*inputs)["image"], before)


def test_the_result_is_the_input_and_a_correction() -> None:
    network, (optical, sar) = small(), tiles(1, 16, 16)
    torch.nn.init.zeros_(network.head.weight)
    torch.nn.init.zeros_(network.head.bias)
    assert torch.equal(network(optical, sar)["image"], optical)


def test_gradients_reach_every_parameter_in_training() -> None:
    network = small().train()
    network(*tiles(2, 32, 32))["image"].square().mean().backward()
    unreached = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert unreached == []


def test_a_tile_does_not_depend_on_its_batch() -> None:
    network, (optical, sar) = small(), tiles(3, 16, 24)
    with torch.inference_mode():
        together = network(optical, sar)["image"]
        alone = [network(optical[i : i + 1], sar[i : i + 1])["image"] for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-5)


def test_it_does_not_change_its_inputs() -> None:
    inputs = tiles(1, 16, 16)
    before = [value.clone() for value in inputs]
    small()(*inputs)
    assert all(torch.equal(*pair) for pair in zip(inputs, before, strict=True))


def test_without_a_bottleneck_sar_passes_whole_and_without_noise() -> None:
    network = small(bottleneck=0).train()
    inputs = tiles(1, 16, 16)
    one, other = network(*inputs), network(*inputs)
    assert one.keys() == {"image", "gate"}
    assert torch.equal(one["image"], other["image"])
    assert not {"mu", "widen"} & {name.split(".")[1] for name in network.state_dict()}


def test_without_a_gate_everything_passes() -> None:
    gated, open_ = small(), small(gate=False)
    weights = {name: gated.state_dict()[name] for name in open_.state_dict()}
    open_.load_state_dict(weights)
    outputs = open_(*tiles(1, 16, 16))
    assert outputs.keys() == {"image", "mu", "log_sigma"}
    optical, sar = torch.rand(2, 1, 32, 4, 4)
    fused = open_.fusion(optical, sar)
    assert torch.equal(fused.gate, torch.ones(1, 1, 4, 4))
    described = open_.fusion.widen(open_.fusion.mu(sar))
    rebuilt = open_.fusion.rebuild(torch.cat([optical, described], dim=1))
    expected = rebuilt + open_.fusion.skip.convolution(optical)
    torch.testing.assert_close(fused.features, expected)


@pytest.mark.parametrize("dirac", [True, False])
def test_skips_start_as_the_identity_or_at_random(dirac: bool) -> None:
    features = torch.rand(1, 6, 8, 8)
    passed = DiracSkip(6, dirac)(features, torch.ones(1, 1, 8, 8))
    assert torch.allclose(passed, features) == dirac


@pytest.mark.parametrize("left_out", [{"bottleneck": 0}, {"gate": False}])
def test_what_is_left_out_is_seen_in_the_tensors(left_out: dict[str, Any]) -> None:
    found = infer_settings(dict(shapes(small(**left_out))))
    assert found is not None and left_out.items() <= found.items()


def test_its_tensors_determine_its_sizes() -> None:
    sizes = {
        "optical_bands": 4,
        "sar_bands": 1,
        "widths": [4, 8, 12],
        "optical_units": [1, 2, 3],
        "sar_units": [3, 1, 2],
        "bottleneck": 5,
        "bottom_units": 4,
        "up_units": 6,
    }
    network = IbHfn(**sizes)  # type: ignore[arg-type]
    assert infer_settings(dict(shapes(network))) == sizes
    assert infer_settings({"head.weight": (13, 48, 3, 3)}) is None
