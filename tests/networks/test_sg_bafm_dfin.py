"""SG-BAFM + DFIN and its ablations: what the design promises. Nothing of it is published."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cloudfree.networks.sg_bafm_dfin import (
    AttentionFusion,
    Branch,
    BranchIntegration,
    GuidedLayer,
    MbConv,
    SgBafmDfin,
    infer_settings,
)
from tests.factories.golden_weights import shapes

VARIANTS = {
    "base": {"attention_fusion": False, "branch_integration": False},
    "base+SG-BAFM": {"branch_integration": False},
    "base+DFIN": {"attention_fusion": False},
    "base+SG-BAFM+DFIN": {},
}
PARAMETERS = 7_290_013

variant = pytest.mark.parametrize("switches", VARIANTS.values(), ids=list(VARIANTS))


def tiles(n: int, y: int, x: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    optical = torch.rand(n, 13, y, x, generator=generator)
    return optical, torch.rand(n, 2, y, x, generator=generator)


def small(**switches: Any) -> SgBafmDfin:
    """A thin network in eval mode, with batch norms that have seen something."""
    torch.manual_seed(1)
    network = SgBafmDfin(
        channels=16, token_channels=16, heads=2, base_blocks=1, directional_blocks=1, **switches
    )
    network(*tiles(4, 32, 32))
    return network.eval()


def count(network: SgBafmDfin) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_it_has_the_parameters_of_the_specification() -> None:
    assert count(SgBafmDfin()) == PARAMETERS


def test_each_part_adds_parameters() -> None:
    base, attention, integration, full = (count(small(**s)) for s in VARIANTS.values())
    assert base < attention < full
    assert base < integration < full
    assert full - attention == integration - base


def test_what_the_ablations_keep_keeps_its_name() -> None:
    kept = [
        [
            (key, tuple(value.shape))
            for key, value in small(**switches).state_dict().items()
            if not key.startswith(("fusion.", "integration."))
        ]
        for switches in VARIANTS.values()
    ]
    assert len(kept[0]) > 50
    assert kept == [kept[0]] * len(VARIANTS)


@settings(max_examples=4)
@given(st.integers(1, 4), st.integers(1, 4))
@variant
def test_any_multiple_of_sixteen_goes_in_and_comes_out(
    switches: dict[str, bool], rows: int, columns: int
) -> None:
    optical, sar = tiles(1, 16 * rows, 16 * columns)
    with torch.inference_mode():
        found = small(**switches)(optical, sar)
    assert set(found) == {"image"}
    assert found["image"].shape == optical.shape
    assert torch.isfinite(found["image"]).all()


@variant
def test_the_result_is_the_input_and_a_correction(switches: dict[str, bool]) -> None:
    network, (optical, sar) = small(**switches), tiles(1, 32, 16)
    torch.nn.init.zeros_(network.head.weight)
    torch.nn.init.zeros_(network.head.bias)
    assert torch.equal(network(optical, sar)["image"], optical)


@variant
@pytest.mark.parametrize("training", [True, False])
def test_gradients_reach_every_parameter_but_the_documented(
    switches: dict[str, bool], training: bool
) -> None:
    network = small(**switches).double().train(training)
    for name, parameter in network.named_parameters():
        if name.endswith("attention.0.bias"):  # two ReLUs here: chance may leave both asleep
            torch.nn.init.constant_(parameter, 2.0)
    optical, sar = tiles(2, 48, 48)
    network(optical.double(), sar.double())["image"].square().mean().backward()
    dead = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or parameter.grad.abs().max() < 1e-14
    ]
    expected = [
        name
        for name, _ in network.named_parameters()
        if name.endswith("key.bias")
        or (training and "pyramid" in name and name.endswith(".0.bias"))
    ]
    assert dead == expected


def test_the_biases_of_the_keys_change_nothing() -> None:
    layer = GuidedLayer(16, heads=2)
    optical, sar = torch.randn(1, 9, 16), torch.randn(1, 9, 16)
    before = layer(optical, sar)
    torch.nn.init.normal_(layer.key.bias)
    torch.testing.assert_close(layer(optical, sar), before)


def test_radar_without_texture_makes_optical_tokens_share_their_mean() -> None:
    layer = GuidedLayer(16, heads=2)
    torch.nn.init.zeros_(layer.mlp[-1].weight)
    torch.nn.init.zeros_(layer.mlp[-1].bias)
    optical, sar = torch.randn(1, 9, 16), torch.randn(1, 1, 16).expand(-1, 9, -1)
    shared = layer.out(layer.value(optical.mean(dim=1, keepdim=True)))
    torch.testing.assert_close(layer(optical, sar), optical + shared)


def test_a_token_gathers_from_where_the_radar_is_alike() -> None:
    """Attention written out: softmax(Q K^T / sqrt(depth)) V, head by head, Q and K from SAR."""
    layer = GuidedLayer(64, heads=2)
    torch.nn.init.zeros_(layer.mlp[-1].weight)
    torch.nn.init.zeros_(layer.mlp[-1].bias)
    optical, sar = torch.randn(1, 9, 64), torch.randn(1, 9, 64)
    query, key, value = layer.query(sar)[0], layer.key(sar)[0], layer.value(optical)[0]
    gathered = torch.cat(
        [
            (query[:, h] @ key[:, h].T / 32**0.5).softmax(dim=1) @ value[:, h]
            for h in (slice(0, 32), slice(32, 64))
        ],
        dim=1,
    )
    torch.testing.assert_close(layer(optical, sar)[0], optical[0] + layer.out(gathered))


def test_the_attention_fusion_written_out() -> None:
    """The correction of SAR, the tokens with their position, the way back beside the SAR."""
    module = AttentionFusion(8, token_channels=16, heads=2, layers=2)
    optical, sar = torch.randn(2, 8, 16, 24), torch.randn(2, 8, 16, 24)
    agreed = module.agree(torch.cat([module.of_optical(optical), module.of_sar(sar)], dim=1))
    corrected = sar * agreed.sigmoid()
    steering = module.sar_tokens(corrected)  # (2, 16, 2, 3)
    steering = (steering + module.position(steering)).reshape(2, 16, 6).transpose(1, 2)
    tokens = module.optical_tokens(optical).reshape(2, 16, 6).transpose(1, 2)
    for layer in module.layers:
        tokens = layer(tokens, steering)
    spread = module.spread(tokens.transpose(1, 2).reshape(2, 16, 2, 3))
    expected = module.join(torch.cat([spread, corrected], dim=1))
    torch.testing.assert_close(module(optical, sar), expected)


def test_a_branch_written_out() -> None:
    """conv3[Attention(F), Pyramid(F), F]."""
    branch = Branch(16).eval()
    features = torch.randn(2, 16, 8, 12)
    weighted = features * branch.attention(features.mean(dim=(2, 3), keepdim=True))
    joined = branch.join(torch.cat([weighted, branch.pyramid(features), features], dim=1))
    torch.testing.assert_close(branch(features), joined)


@pytest.mark.parametrize("results", [16, 24])
def test_an_inverted_residual_written_out(results: int) -> None:
    """conv1, norm, SiLU, depthwise, norm, SiLU, squeeze-and-excite, conv1, norm; + shortcut."""
    block, silu = MbConv(16, results).eval(), torch.nn.functional.silu
    features = torch.randn(2, 16, 8, 12)
    hidden = silu(block.norm2(block.depthwise(silu(block.norm1(block.widen(features))))))
    squeezed = silu(block.squeeze(hidden.mean(dim=(2, 3), keepdim=True)))
    corrected = block.norm3(block.narrow(hidden * block.excite(squeezed).sigmoid()))
    torch.testing.assert_close(block(features), block.shortcut(features) + corrected)
    assert torch.equal(block.shortcut(features), features) == (results == 16)


def test_the_stronger_answer_wins() -> None:
    module = BranchIntegration(8).eval()
    torch.nn.init.zeros_(module.integrate.weight)
    module.integrate.bias.data[:8], module.integrate.bias.data[8:] = -1.0, 3.0
    seen: list[Tensor] = []
    module.join.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    base, fused = torch.randn(1, 8, 8, 8), torch.randn(1, 8, 8, 8)
    module(base, fused)
    assert torch.equal(seen[0], torch.cat([torch.full_like(base, 3.0), base, fused], dim=1))


@variant
def test_a_tile_does_not_depend_on_its_batch(switches: dict[str, bool]) -> None:
    network, (optical, sar) = small(**switches), tiles(3, 32, 48)
    with torch.inference_mode():
        together = network(optical, sar)["image"]
        alone = [network(optical[i : i + 1], sar[i : i + 1])["image"] for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-5, atol=1e-5)


def test_the_same_tile_gives_the_same_result_and_stays_as_it_is() -> None:
    network, inputs = small(), tiles(1, 32, 32)
    before = [value.clone() for value in inputs]
    with torch.inference_mode():
        assert torch.equal(network(*inputs)["image"], network(*inputs)["image"])
    assert all(torch.equal(*pair) for pair in zip(inputs, before, strict=True))


@variant
def test_its_tensors_determine_its_sizes_but_not_the_heads(switches: dict[str, bool]) -> None:
    sizes = {
        "optical_bands": 4,
        "sar_bands": 1,
        "channels": 16,
        "base_blocks": 2,
        "directional_blocks": 4,
        **dict.fromkeys(("attention_fusion", "branch_integration"), True),
        **switches,
        **({"token_channels": 24, "layers": 3} if switches.get("attention_fusion", True) else {}),
    }
    network = SgBafmDfin(**sizes)  # type: ignore[arg-type]
    assert infer_settings(dict(shapes(network))) == sizes
    assert infer_settings({"base.0.weight": (64, 15, 3, 3)}) is None
