"""Cloud-Attentive: GLF-CR but where windows are shifted."""

import pytest
import torch

from cloudfree.inference.registry import network_entry
from cloudfree.networks.cloud_attentive import CloudAttentive
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
        CloudAttentive(variant="concat")


def test_only_its_name_tells_its_tensors_from_those_of_glf_cr() -> None:
    names = CloudAttentive(**TINY).state_dict().keys()
    assert names == tiny().state_dict().keys()
    assert network_entry("cloud_attentive")["same_tensors_as"] == "glf_cr"
