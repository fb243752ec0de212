"""GLF-CR, its ablations and Cloud-Attentive: what they promise, and the published numbers."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from scipy.ndimage import median_filter
from torch import Tensor, nn

from cloudfree.networks.cloud_attentive import CloudAttentive
from cloudfree.networks.glf_cr import (
    VARIANTS,
    DenseLayer,
    DynamicFilter,
    GlfCr,
    adaptive_filter,
    despeckled,
)
from tests.factories.golden_weights import (
    golden_arrays,
    golden_shapes,
    golden_weights,
    read_json,
    rebuilt,
)
from tests.factories.golden_weights import shapes as shapes_of
from tests.networks.reference_glf_cr import ReferenceGlfCr, dynamic_filter

SMALL = {"channels": 32, "blocks": 2, "layers": 3, "growth": 16}
TINY = {"channels": 16, "blocks": 2, "layers": 2, "growth": 8}
PARAMETERS = {
    "glf-cr": 14_827_373,
    "concat": 5_446_589,
    "without-sar": 5_427_389,
    "without-stl": 13_639_373,
    "without-gf": 14_825_213,
    "without-df": 10_441_709,
    "despeckled-sar": 10_441_709,
    "cloud-attentive": 14_827_373,
    "cloud-attentive-printed": 11_736_557,
}
NETWORKS = {"glf_cr": GlfCr, "cloud_attentive": CloudAttentive}


def tiles(n: int, y: int, x: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noise with the range of reflectance and of scaled backscatter."""
    generator = torch.Generator().manual_seed(seed)
    optical = 0.6 * torch.rand(n, 13, y, x, generator=generator)
    return optical, torch.rand(n, 2, y, x, generator=generator)


def tiny(variant: str = "glf-cr") -> GlfCr:
    """A network with random weights, whose attention matters."""
    torch.manual_seed(1)
    network = GlfCr(variant, **TINY).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias_table"):
                parameter.normal_()
            if "qkv" in name:
                parameter.mul_(5.0)
    return network


def like(network: GlfCr, variant: str) -> GlfCr:
    """Another variant with those of its weights that it has too."""
    other = GlfCr(variant, **TINY).eval()
    weights = network.state_dict()
    other.load_state_dict({name: weights[name] for name in other.state_dict()})
    return other


def image(network: nn.Module, *inputs: Tensor) -> Tensor:
    with torch.inference_mode():
        result: Tensor = network(*inputs)["image"]
    return result


def kept(names: list[str]) -> list[str]:
    """The names of a checkpoint that are not left out on loading."""
    return [n for n in names if not any(re.search(p, n) for p in GlfCr.IGNORED_KEYS)]


@pytest.mark.parametrize("folder", NETWORKS)
def test_the_small_network_gives_the_published_numbers(folder: str, golden: Path) -> None:
    weights = golden_weights(golden / "glf_cr" / "small")
    network = NETWORKS[folder](**SMALL).eval()
    network.load_state_dict({name: weights[name] for name in kept(list(weights))})
    inputs = golden_arrays(golden / folder / "small" / "inputs.npz")
    expected = golden_arrays(golden / folder / "small" / "outputs.npz")["out"]
    result = image(network, inputs["opt"], inputs["sar"])
    torch.testing.assert_close(result, expected, atol=5e-6, rtol=0)


@pytest.mark.parametrize("folder", NETWORKS)
@pytest.mark.parametrize("size", ["small", "full"])
def test_tensors_have_the_published_names_shapes_and_order(
    folder: str, size: str, golden: Path
) -> None:
    with torch.device("meta"):
        network = NETWORKS[folder](**(SMALL if size == "small" else {}))
    published = dict(golden_shapes(golden / folder / size / "state_dict.json", "net_G."))
    assert shapes_of(network) == [(name, published[name]) for name in kept(list(published))]


def test_a_shifted_layer_gives_the_published_numbers(golden: Path) -> None:
    gains = read_json(golden / "glf_cr" / "small" / "meta.json")["gains"]
    arrays = golden_arrays(golden / "glf_cr" / "submodules" / "rdb_conv_shifted.npz")
    layer = GlfCr("glf-cr", **SMALL).eval().get_submodule("RDBs.0.convs.1")
    weights = {
        name: rebuilt(f"RDBs.0.convs.1.{name}", list(tensor.shape), gains)
        for name, tensor in layer.state_dict().items()
    }
    layer.load_state_dict(weights)
    with torch.inference_mode():
        optical, sar = layer([arrays["opt_in"], arrays["sar_in"]])
    torch.testing.assert_close(optical, arrays["opt_out"], atol=5e-6, rtol=0)
    torch.testing.assert_close(sar, arrays["sar_out"], atol=5e-6, rtol=0)


@pytest.mark.parametrize("of_the_reference", [False, True])
def test_adaptive_filters_give_the_published_numbers(of_the_reference: bool, golden: Path) -> None:
    arrays = golden_arrays(golden / "glf_cr" / "submodules" / "dynamic_filter.npz")
    features, kernel = arrays["feat"], arrays["kernel"]
    if of_the_reference:
        result = dynamic_filter(features, kernel)
    else:
        result = adaptive_filter(features, [kernel[:, tap::25] for tap in range(25)])
    torch.testing.assert_close(result, arrays["out"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_full_size_has_the_published_number_of_parameters(variant: str) -> None:
    with torch.device("meta"):
        network = GlfCr(variant)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[variant]


@pytest.mark.parametrize("mask_sar", [True, False])
@pytest.mark.parametrize(("n", "y", "x"), [(2, 64, 96), (1, 16, 16), (1, 16, 48), (1, 80, 32)])
def test_it_does_what_the_plain_reference_does(mask_sar: bool, n: int, y: int, x: int) -> None:
    network = like(tiny(), "glf-cr" if mask_sar else "cloud-attentive")
    reference = ReferenceGlfCr(**TINY, mask_sar=mask_sar)
    reference.load_state_dict(network.state_dict())
    optical, sar = tiles(n, y, x)
    with torch.inference_mode():
        expected = reference(optical, sar)
    torch.testing.assert_close(image(network, optical, sar), expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("mask_sar", [True, False])
def test_its_gradients_are_those_of_the_plain_reference(mask_sar: bool) -> None:
    network = like(tiny(), "glf-cr" if mask_sar else "cloud-attentive")
    reference = ReferenceGlfCr(**TINY, mask_sar=mask_sar)
    reference.load_state_dict(network.state_dict())
    optical, sar = tiles(1, 32, 48)
    network(optical, sar)["image"].square().sum().backward()
    reference(optical, sar).square().sum().backward()
    expected = dict(reference.named_parameters())
    for name, parameter in network.named_parameters():
        if parameter.grad is not None:
            wanted = expected[name].grad
            assert wanted is not None
            scale = float(wanted.abs().max())
            torch.testing.assert_close(parameter.grad, wanted, atol=1e-4 * scale, rtol=0)


@pytest.mark.parametrize("compiling", [False, True])
def test_bands_and_the_whole_tile_give_the_same(
    compiling: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, inputs = tiny(), tiles(2, 64, 48)
    expected = image(network, *inputs)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: compiling)
    torch.testing.assert_close(image(network, *inputs), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("y", "x"), [(16, 16), (16, 80), (48, 112)])
def test_the_result_has_the_shape_of_the_optical_tile(variant: str, y: int, x: int) -> None:
    optical, sar = tiles(2, y, x)
    result = image(tiny(variant), optical, sar)
    assert result.shape == optical.shape
    assert torch.isfinite(result).all()


def silence_gates(network: GlfCr, *names: str) -> None:
    """Make gates that are always closed."""
    for name, parameter in network.named_parameters():
        if any(part in name for part in names):
            parameter.fill_(-1e4 if name.endswith("bias") else 0.0)


def pass_through_filters(network: GlfCr) -> None:
    """Make filters that leave everything as it is: 1 in the middle of the 25, else 0."""
    for module in network.modules():
        if isinstance(module, DynamicFilter):
            weight, bias = list(module.fac_warp.parameters())[-2:]
            weight.fill_(0.0)
            bias.fill_(0.0)
            bias[12::25] = 1.0


def silence_transformers(network: GlfCr) -> None:
    """Make transformer layers that add nothing."""
    for name, parameter in network.named_parameters():
        if any(part in name for part in (".proj", ".fc2")):
            parameter.fill_(0.0)


@pytest.mark.parametrize(
    ("variant", "silence"),
    [
        ("without-gf", lambda network: silence_gates(network, "attn_fuse")),
        ("without-sar", lambda network: silence_gates(network, "attn_fuse", "sar_fuse")),
        ("without-df", pass_through_filters),
        ("without-stl", silence_transformers),
    ],
)
def test_an_ablation_is_the_network_without_the_effect_of_that_part(
    variant: str, silence: Callable[[GlfCr], None]
) -> None:
    network, inputs = tiny(), tiles(1, 48, 64)
    untouched = image(network, *inputs)
    with torch.no_grad():
        silence(network)
    expected = image(network, *inputs)
    assert not torch.allclose(untouched, expected, atol=1e-5)
    result = image(like(network, variant), *inputs)
    torch.testing.assert_close(result, expected, atol=1e-6, rtol=0)


def test_without_sar_needs_no_sar() -> None:
    network, (optical, sar) = tiny("without-sar"), tiles(1, 32, 32)
    assert torch.equal(image(network, optical), image(network, optical, sar))


def test_concatenation_sees_the_sar_beside_the_optical_bands() -> None:
    optical, sar = tiles(1, 32, 32)
    network = tiny("concat")
    without = GlfCr("without-sar", **TINY).eval()
    weights = network.state_dict()
    weights["SFENet1.weight"] = weights["SFENet1.weight"][:, :52]
    without.load_state_dict(weights)
    nothing = torch.zeros_like(sar)
    torch.testing.assert_close(image(network, optical, nothing), image(without, optical))
    assert not torch.equal(image(network, optical, sar), image(network, optical, nothing))


def test_despeckling_is_a_median_of_7_by_7_pixels() -> None:
    _, sar = tiles(2, 16, 32)
    expected = median_filter(sar.numpy(), size=(1, 1, 7, 7), mode="nearest")
    assert torch.equal(despeckled(sar), torch.from_numpy(expected))
    one, other, (optical, _) = tiny("despeckled-sar"), tiny("without-df"), tiles(2, 16, 32)
    assert torch.equal(image(one, optical, sar), image(other, optical, despeckled(sar)))


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_reach_every_parameter_but_the_last_gate(variant: str) -> None:
    network = tiny(variant)
    loss = network(*tiles(1, 32, 32))["image"].square().mean()
    loss.backward()
    untouched = {name for name, p in network.named_parameters() if p.grad is None}
    last = f"opt_distribute_1x1conv.{TINY['blocks'] - 1}."
    dead = {name for name, _ in network.named_parameters() if name.startswith(last)}
    assert untouched == dead
    still = [n for n, p in network.named_parameters() if p.grad is not None and not p.grad.any()]
    assert still == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_tile_does_not_depend_on_its_neighbours_in_the_batch(variant: str) -> None:
    network = tiny(variant)
    optical, sar = tiles(3, 32, 48)
    alone = image(network, optical[1:2], sar[1:2])
    torch.testing.assert_close(image(network, optical, sar)[1:2], alone, atol=2e-6, rtol=0)


def test_training_leaves_out_layers_by_chance_and_evaluation_does_not() -> None:
    network, inputs = tiny(), tiles(4, 32, 32)
    assert torch.equal(image(network, *inputs), image(network, *inputs))
    network.train()
    assert not torch.equal(image(network, *inputs), image(network, *inputs))
    torch.manual_seed(3)
    first = image(network, *inputs)
    torch.manual_seed(3)
    assert torch.equal(image(network, *inputs), first)


def test_layers_are_left_out_more_often_the_deeper_they_are() -> None:
    with torch.device("meta"):
        rates = [part.drop for part in GlfCr().modules() if isinstance(part, DenseLayer)]
    assert rates == pytest.approx([0.2 * layer / 29 for layer in range(30)])


def test_what_is_left_out_is_weighed_up_for_the_others() -> None:
    layer = DenseLayer(16, 8, 8, 0, 0.2, VARIANTS["glf-cr"]).train()
    torch.manual_seed(0)
    change = layer._dropped(torch.ones(20_000, 1, 1, 1))
    assert sorted(set(change.flatten().tolist())) == pytest.approx([0.0, 1.25])
    assert change.mean() == pytest.approx(1.0, abs=0.02)


@pytest.mark.slow
def test_it_can_be_exported_for_any_batch_and_size() -> None:
    tile, network = torch.export.Dim.DYNAMIC, tiny()
    sides = {0: tile, 2: tile, 3: tile}
    program = torch.export.export(network, tiles(2, 48, 64), dynamic_shapes=(sides, sides))
    inputs = tiles(1, 80, 32)
    result = image(program.module(), *inputs)
    torch.testing.assert_close(result, image(network, *inputs), atol=1e-6, rtol=0)
