"""Losses by name: known answers, and gradients for all."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import MaskClass
from cloudfree.errors import InputError, ModelError
from cloudfree.losses.adversarial import LAYERS, PerceptualDistance
from cloudfree.losses.ib_hfn_loss import TERMS
from cloudfree.training.loss_registry import (
    OBJECTIVES,
    LossInput,
    LossSpec,
    loss_named,
    with_perceptual,
)
from cloudfree.training.sampler import Batch
from tests.commands.train.test_run import losses
from tests.factories.training_runs import run_training, write_patches

SIDE = 16


def seen(
    image: Tensor | float, scale: tuple[float, float] = (0.0, 1.0), **more: object
) -> LossInput:
    """An image for a target of reflectance 0.2 under a cloud of 0.6 in the upper half."""
    start, stop = scale
    classes = torch.zeros(1, SIDE, SIDE, dtype=torch.uint8)
    classes[:, :8] = int(MaskClass.CLOUD)
    target = torch.full((1, 13, SIDE, SIDE), 0.2)
    cloudy = torch.where(classes[:, None] == 1, 0.6, target)
    onto = lambda values: start + values * (stop - start)  # noqa: E731
    made = torch.full_like(target, image) if isinstance(image, float) else image
    batch = Batch(
        ("a.tif",), {}, onto(cloudy), onto(target), torch.ones_like(target).bool(), classes
    )
    quarter = torch.full((1, 1, 4, 4), 0.5)
    outputs = {
        "image": onto(made), "variance": torch.full_like(target, 0.01), "simulated": onto(made),
        "attention": torch.full((1, 1, SIDE, SIDE), 0.5), "gate": quarter,
        "colour": torch.full((1, 13, 2, 2), 0.25),
        "mu": torch.ones(1, 2, 4, 4), "log_sigma": torch.zeros(1, 2, 1, 1),
    }  # fmt: skip
    return LossInput(outputs, batch, scale, logits=torch.zeros(1, 1, 2, 2), **more)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("l1", 0.1),
        ("l2", 0.01),
        ("charbonnier", math.hypot(0.1, 1e-3)),
        # Times 5: clear half off the input, cloudy half off the target; and L1.
        ("carl", 5 * (0.1 + 0.1)),
        ("gnll", 0.5 * (math.log(0.01) + 1 + math.log(2 * math.pi))),
        ("mgnll", 13 * 0.5 * (math.log(0.01) + 1 + math.log(2 * math.pi))),
        ("gan-l1", math.log(2) + 100 * 0.1),
        ("gan-attention", math.log(2) + 100 * 0.1 + 0.25),
    ],
)
def test_known_answers(name: str, expected: float) -> None:
    assert float(OBJECTIVES[name](seen(0.3))) == pytest.approx(expected, rel=1e-4)


def test_a_loss_without_a_term_needs_no_output_for_it() -> None:
    whole, part = loss_named("joint"), loss_named("joint", ("bottleneck",))
    assert (whole.needs, part.needs) == (("gate", "mu", "log_sigma"), ("gate",))
    given = seen(0.3, progress=1.0)
    bare = dataclasses.replace(
        given, outputs={name: given.outputs[name] for name in ("image", "gate")}
    )
    assert float(whole(given) - part(bare)) == pytest.approx(1e-3 * 0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "without", "text"),
    [
        ("joint", ("colour",), "loss joint without colour; wanted some of reconstruction, simil"),
        ("l1", ("angle",), "loss l1 without angle; wanted nothing: its terms have no names"),
        ("joint", tuple(TERMS), "without reconstruction, similarity, angle, sharpness, gate, bot"),
    ],
)
def test_a_term_that_is_not_there_is_refused(
    name: str, without: tuple[str, ...], text: str
) -> None:
    with pytest.raises(InputError, match=text):
        loss_named(name, without)


def test_simulation_fusion_learns_from_radar_first() -> None:
    objective = OBJECTIVES["simulation-fusion"]
    assert objective.stage_of(0.0) == (0, 0.0)
    assert objective.stage_of(0.25) == (0, 0.5)
    assert objective.stage_of(0.75) == (1, 0.5)
    assert objective.stage_of(1.0) == (1, 1.0)
    assert float(objective(seen(0.3, stage=0))) == pytest.approx(0.1, rel=1e-4)
    fused = 1e-4 * math.log(2) + 10 * 0.1 + 10 * 0.05
    assert float(objective(seen(0.3, stage=1))) == pytest.approx(fused, rel=1e-4)


@pytest.mark.parametrize(
    "name",
    [
        "charbonnier",
        "l1-structure",
        "restoration",
        "recalled-colour",
        "cloud-aware",
        "carl",
        "joint",
    ],
)
def test_losses_of_reflectance_do_not_depend_on_the_scale_of_the_network(name: str) -> None:
    own, symmetric = (float(OBJECTIVES[name](seen(0.3, s))) for s in ((0.0, 1.0), (-1.0, 1.0)))
    assert own == pytest.approx(symmetric, rel=1e-4)


def test_clouds_weigh_four_times_in_the_cloud_aware_loss() -> None:
    given, losses = seen(0.3), []
    for value in (MaskClass.CLOUD, MaskClass.CLEAR, MaskClass.SNOW, MaskClass.SHADOW):
        classes = torch.full((1, SIDE, SIDE), int(value), dtype=torch.uint8)
        batch = dataclasses.replace(given.batch, classes=classes)
        losses.append(float(OBJECTIVES["cloud-aware"](dataclasses.replace(given, batch=batch))))
    cloud, *others = losses
    assert others == pytest.approx([cloud / 4] * 3)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_loss_has_a_finite_gradient(name: str) -> None:
    image = (0.3 + 0.01 * torch.randn(1, 13, SIDE, SIDE)).requires_grad_()
    OBJECTIVES[name](seen(image, progress=0.5)).backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
    assert (image.grad != 0).any()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_where_the_target_has_no_data_nothing_is_learned(name: str) -> None:
    image = (0.3 + 0.01 * torch.randn(1, 13, SIDE, SIDE)).requires_grad_()
    given = seen(image, progress=0.5)
    given.batch.valid[..., 4:6] = False
    OBJECTIVES[name](given).backward()
    assert image.grad is not None
    assert not image.grad[..., 4:6].any()


def test_what_a_loss_lacks_is_named() -> None:
    given = seen(0.3)
    bare = LossInput({"image": given.outputs["image"]}, given.batch, (0, 1))
    with pytest.raises(ModelError, match="returns image; wanted gate, mu, log_sigma, from which"):
        OBJECTIVES["joint"](bare)
    with pytest.raises(
        InputError, match=r"no loss 'vgg'; wanted one of l1, l2, .*; correct --loss"
    ):
        loss_named("vgg")


def test_the_restoration_loss_sees_colours_that_are_off_over_a_whole_block() -> None:
    # Errors that cancel within a block cost less than the same errors of one sign.
    target, loss = seen(0.2).target, OBJECTIVES["restoration"]
    signs = torch.ones(1, 1, SIDE, SIDE)
    signs[..., ::2] = -1
    cancelling = float(loss(seen(target + 0.1 * signs)))
    assert float(loss(seen(target))) == pytest.approx(0.05 * math.acos(1 - 1e-6), abs=1e-6)
    plain = float(OBJECTIVES["l1"](seen(target + 0.1 * signs)))
    assert plain == pytest.approx(0.1)
    even = float(loss(seen(0.3))) - float(OBJECTIVES["l1-structure"](seen(0.3)))
    uneven = cancelling - float(OBJECTIVES["l1-structure"](seen(target + 0.1 * signs)))
    assert even - uneven == pytest.approx(0.5 * 0.1, rel=1e-3)


def test_the_loss_of_the_default_model_is_the_sum_of_its_terms() -> None:
    # An even image has no structure of its own: the brightness term of SSIM alone is left.
    structure = 1 - (2 * 0.3 * 0.2 + 1e-4) / (0.3**2 + 0.2**2 + 1e-4)
    filled = 0.1 + 0.5 * math.hypot(0.1, 1e-3) + 0.5 * 0.1 + 0.1 * structure
    angle = 0.05 * math.acos(0.9999)
    assert float(OBJECTIVES["recalled-colour"](seen(0.3))) == pytest.approx(
        filled + angle + 0.25 * 0.05, rel=1e-4
    )


def test_colours_of_blocks_without_data_are_not_learned() -> None:
    given = seen(0.3)
    colour = given.outputs["colour"].clone().requires_grad_()
    given.batch.valid[..., :2, :2] = False
    outputs = {**given.outputs, "colour": colour}
    OBJECTIVES["recalled-colour"](dataclasses.replace(given, outputs=outputs)).backward()
    assert colour.grad is not None
    assert not colour.grad[..., 0, 0].any()
    assert (colour.grad[..., 1, :] != 0).all()


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
    own = {"perceptual_weights": str(vgg), "checkpoint_every": 2}
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
