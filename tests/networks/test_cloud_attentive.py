"""Cloud-Attentive: GLF-CR but where windows are shifted."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from cloudfree.inference.checkpoint import build_network, identify, network_arguments
from cloudfree.networks import glf_cr
from cloudfree.networks.cloud_attentive import CloudAttentive, infer_settings
from tests.networks.reference_glf_cr import ReferenceGlfCr
from tests.networks.test_glf_cr import TINY, image, like, tiles, tiny


def test_cloud_attentive_differs_only_where_windows_are_shifted() -> None:
    one, other = tiny(), like(tiny(), "cloud-attentive")
    wide, narrow = tiles(1, 64, 64), tiles(1, 16, 16)
    assert not torch.allclose(image(one, *wide), image(other, *wide), atol=1e-5)
    assert torch.equal(image(one, *narrow), image(other, *narrow))


def test_it_is_the_variant_of_glf_cr_of_its_name() -> None:
    torch.manual_seed(0)
    network = CloudAttentive(**TINY).eval()
    other = like(network, "cloud-attentive")
    inputs = tiles(1, 48, 64)
    assert torch.equal(image(network, *inputs), image(other, *inputs))


def test_no_other_variant_can_be_asked_for() -> None:
    with pytest.raises(TypeError):
        CloudAttentive(variant="concat")  # type: ignore[call-arg]
    assert network_arguments("cloud_attentive")["design"] == "released"


def test_only_its_name_tells_its_tensors_from_those_of_glf_cr() -> None:
    names = CloudAttentive(**TINY).state_dict().keys()
    assert names == tiny().state_dict().keys()
    shapes = {name: tuple(value.shape) for name, value in tiny().state_dict().items()}
    assert glf_cr.infer_settings(shapes) == infer_settings(shapes) == {
        **TINY, "heads": 8, "optical_bands": 13, "sar_bands": 2,
    }  # fmt: skip


def printed() -> CloudAttentive:
    """A small network as the text of the paper has it, whose attention and norms matter."""
    torch.manual_seed(2)
    network = CloudAttentive("printed", **TINY).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias_table") or ".norm1" in name:
                parameter.normal_()
            if "qkv" in name:
                parameter.mul_(2.0)
    return network


@pytest.mark.parametrize(("n", "y", "x"), [(2, 64, 48), (1, 16, 16)])
def test_as_printed_it_does_what_the_plain_reference_does(n: int, y: int, x: int) -> None:
    network = printed()
    reference = ReferenceGlfCr(**TINY, mask_sar=False, printed=True)
    reference.load_state_dict(network.state_dict())
    optical, sar = tiles(n, y, x)
    with torch.inference_mode():
        expected = reference(optical, sar)
    torch.testing.assert_close(image(network, optical, sar), expected, atol=2e-6, rtol=0)


def test_as_printed_its_encoder_ends_in_relu_and_feeds_the_skip() -> None:
    network, (optical, sar) = printed(), tiles(1, 32, 32)
    with torch.inference_mode():
        skip, (features, of_sar) = network._shallow([optical, sar])
    assert torch.equal(skip, features)
    assert features.min() == of_sar.min() == 0.0
    assert (features > 0).any() and (of_sar > 0).any()


def test_as_printed_attention_sees_normed_tokens() -> None:
    network, (optical, sar) = printed(), tiles(1, 32, 32)
    seen: list[Tensor] = []
    attention = network.RDBs[0].convs[0].attn  # type: ignore[union-attr]
    attention.register_forward_pre_hook(lambda _, inputs: seen.extend(inputs[0]))
    for name, parameter in network.named_parameters():
        if ".norm1" in name:
            torch.nn.init.constant_(parameter, float(name.endswith("weight")))
    image(network, optical, sar)
    assert len(seen) == 2
    for tokens in seen:
        assert tokens.mean(dim=-1).abs().max() < 1e-5
        assert tokens.std(dim=-1, correction=0).mean() == pytest.approx(1.0, abs=0.05)


def test_as_printed_local_fusion_looks_at_single_pixels() -> None:
    fusions = {n: v.shape for n, v in printed().state_dict().items() if n.endswith("LFF.weight")}
    assert all(shape[2:] == (1, 1) for shape in fusions.values()) and fusions


def test_the_two_designs_are_told_apart_by_their_tensors(tmp_path: Path) -> None:
    tensors = printed().state_dict()
    found = identify(tmp_path / "a.pth", tensors)
    assert (found.network, found.settings["design"]) == ("cloud_attentive", "printed")
    again = build_network(found.network, found.settings).eval()
    again.load_state_dict(found.tensors)
    inputs = tiles(1, 32, 32)
    assert torch.equal(image(again, *inputs), image(printed(), *inputs))
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    assert glf_cr.infer_settings(shapes) is None
    concat = {name: tuple(v.shape) for name, v in tiny("concat").state_dict().items()}
    assert infer_settings(concat) is None
