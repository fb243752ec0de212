"""The perceptual term of Simulation-Fusion: where it counts, and what it is made from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.errors import InputError, ModelError
from cloudfree.losses.perceptual import LAYERS, PerceptualDistance
from cloudfree.training.loss_registry import OBJECTIVES, LossSpec
from cloudfree.training.perceptual import with_perceptual
from tests.commands.train.test_run import losses
from tests.factories.training_runs import run_training, write_patches
from tests.training.test_loss_registry import SIDE, seen

CPU = torch.device("cpu")
OWN = OBJECTIVES["simulation-fusion"]


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the shapes of VGG-16, with a layer more than is used."""
    draw = torch.Generator().manual_seed(0)
    tensors = {"classifier.6.bias": torch.zeros(1000)}
    for place, (bands, made) in LAYERS.items():
        weight = torch.randn(made, bands, 3, 3, generator=draw)
        tensors[f"features.{place}.weight"] = weight / (3 * bands**0.5)
        tensors[f"features.{place}.bias"] = torch.zeros(made)
    path = tmp_path_factory.mktemp("vgg") / "vgg16.pth"
    torch.save(tensors, path)
    return path


def loaded(vgg: Path, objective: LossSpec = OWN) -> LossSpec:
    return with_perceptual(objective, str(vgg), OPTICAL_BANDS, CPU)


@pytest.mark.parametrize("scale", [(0.0, 1.0), (-1.0, 1.0)])
def test_it_is_added_in_reflectance_whatever_the_scale(
    vgg: Path, scale: tuple[float, float]
) -> None:
    image = torch.rand(1, 13, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    given = seen(image, scale, stage=1)
    rgb = [OPTICAL_BANDS.index(band) for band in ("B04", "B03", "B02")]
    distance = PerceptualDistance(torch.load(vgg, weights_only=True))
    added = 0.8 * float(distance(image[:, rgb], torch.full_like(image, 0.2)[:, rgb]))
    assert added > 1e-3
    assert float(loaded(vgg)(given)) == pytest.approx(float(OWN(given)) + added, rel=1e-5)


def test_the_first_stage_learns_without_it(vgg: Path) -> None:
    assert torch.equal(loaded(vgg)(seen(0.3, stage=0)), OWN(seen(0.3, stage=0)))


def test_a_run_learns_with_it_and_goes_on_with_it(vgg: Path, tmp_path: Path) -> None:
    data = write_patches(tmp_path / "data", count=2)
    own = {"perceptual_weights": str(vgg), "checkpoint_steps": 2}
    network = "simulation_fusion_gan"
    plain = run_training(data, tmp_path / "plain", network)
    run_training(data, tmp_path / "run", network, **own)
    first, second = zip(losses(plain.output), losses(tmp_path / "run"), strict=True)
    assert first[0]["loss"] == first[1]["loss"]
    assert float(second[1]["loss"]) > float(second[0]["loss"])
    assert f'perceptual_weights = "{vgg}"' in (tmp_path / "run" / "settings.toml").read_text()
    again = run_training(data, tmp_path / "run", network, **own, resume=True)
    assert again.steps == 2


def test_other_losses_other_bands_and_other_files_are_refused(vgg: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"for another loss .*; wanted --loss simulation-fusion"):
        loaded(vgg, OBJECTIVES["l1"])
    with pytest.raises(InputError, match="and the bands B04, B03, B02; leave"):
        with_perceptual(OWN, str(vgg), ("B04", "B08"), CPU)
    with pytest.raises(ModelError, match=r"no file .*none\.pth"):
        loaded(tmp_path / "none.pth")
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match=r"no features\.0\.weight of shape \(64, 3, 3, 3\)"):
        loaded(tmp_path / "other.pth")
