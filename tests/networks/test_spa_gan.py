"""SpA GAN: the published weights reproduce the published results."""

from pathlib import Path

import pytest
import torch

from cloudfree.networks.spa_gan import SpaGan, SpaGanDiscriminator
from tests.factories.golden_weights import golden_arrays, golden_shapes, golden_weights, shapes
from tests.factories.networks import (
    assert_independent_of_batch,
    assert_repeatable,
    lively,
    noise,
    parameters,
    unreached,
)

PREFIX = "gen.gen."
WITHOUT_EFFECT = {"SAM1.conv_in.weight"} | {
    f"SAM1.attention_layer.conv{n}.{kind}" for n in (1, 2, 3) for kind in ("weight", "bias")
}


@pytest.mark.parametrize(
    ("name", "bands", "atol"),
    [
        ("published_RICE1", 3, 5e-6),
        ("published_RICE2", 3, 3e-5),  # its output reaches 12
        ("rgb3", 3, 5e-6),
        ("s2_13", 13, 5e-6),
    ],
)
def test_golden_output(golden: Path, name: str, bands: int, atol: float) -> None:
    folder = golden / "spa_gan" / name
    network = SpaGan(optical_bands=bands, output_bands=bands).eval()
    network.load_state_dict(golden_weights(folder, PREFIX), strict=True)
    expected = golden_arrays(folder / "outputs.npz")
    with torch.inference_mode():
        result = network(golden_arrays(folder / "inputs.npz")["x"])
    torch.testing.assert_close(result["image"], expected["out"], rtol=0, atol=atol)
    torch.testing.assert_close(result["attention"], expected["attention"], rtol=0, atol=5e-6)


@pytest.mark.parametrize("name", ["published_RICE1", "published_RICE2"])
def test_the_published_files_hold_the_stored_weights(golden: Path, name: str) -> None:
    folder = golden / "spa_gan" / name
    published = torch.load(
        folder / "gen_model_epoch_200.pth", map_location="cpu", weights_only=True
    )
    stored = golden_weights(folder)
    assert published.keys() == stored.keys()
    assert all(torch.equal(published[key], value) for key, value in stored.items())


@pytest.mark.parametrize(("name", "bands"), [("published_RICE1", 3), ("s2_13", 13)])
def test_keys_and_shapes(golden: Path, name: str, bands: int) -> None:
    expected = golden_shapes(golden / "spa_gan" / name / "state_dict.json", PREFIX)
    assert shapes(SpaGan(optical_bands=bands, output_bands=bands)) == expected


def test_parameters() -> None:
    assert parameters(SpaGan()) == 219_300
    assert parameters(SpaGan(optical_bands=13, output_bands=13)) == 225_060
    assert parameters(SpaGanDiscriminator(condition_bands=13, image_bands=13)) == 2_773_185


@pytest.mark.parametrize(("y", "x"), [(1, 1), (1, 9), (2, 3), (33, 50)])
def test_any_size(y: int, x: int) -> None:
    result = lively(SpaGan(channels=4))(noise(2, 3, y, x))
    assert result["image"].shape == (2, 3, y, x)
    assert result["attention"].shape == (2, 1, y, x)
    assert torch.isfinite(result["image"]).all()


def test_gradients_reach_all_but_the_parameters_without_effect() -> None:
    network = lively(SpaGan(channels=4))
    assert unreached(network, noise(1, 3, 24, 24)) == WITHOUT_EFFECT


def test_direction_weights_have_effect_when_asked_for() -> None:
    network = lively(SpaGan(channels=4, weigh_directions=True))
    assert unreached(network, noise(1, 3, 24, 24)) == {"SAM1.conv_in.weight"}


def test_a_pixel_depends_on_the_36_around_it() -> None:
    network = lively(SpaGan(channels=4)).double()
    for value in network.parameters():
        value.detach_().abs_()  # nothing is switched off
        value.div_(max(1, value[0].numel()))
    optical = noise(1, 3, 91, 91).double().requires_grad_()
    network(optical)["image"][..., 45, 45].sum().backward()
    assert optical.grad is not None
    seen = optical.grad.abs().sum(dim=(0, 1)).nonzero()
    assert seen.amin(dim=0).tolist() == [45 - 36, 45 - 36]
    assert seen.amax(dim=0).tolist() == [45 + 36, 45 + 36]


def test_tiles_are_independent_and_repeatable() -> None:
    network = lively(SpaGan(channels=8))
    assert_independent_of_batch(network, noise(3, 3, 20, 31))
    assert_repeatable(network, noise(2, 3, 20, 31))


def test_discriminator_judges_each_16_pixels() -> None:
    network = lively(SpaGanDiscriminator(condition_bands=13, image_bands=13, channels=4))
    inputs = noise(2, 13, 64, 96), noise(2, 13, 64, 96, seed=1)
    assert network(*inputs).shape == (2, 1, 4, 6)
    assert unreached(network, *inputs) == set()
