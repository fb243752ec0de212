"""Adapting to a scene: what is better is kept, what is not is not, and nothing else changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import silent
from cloudfree.inference.model import Arrays, Model, TileInputs
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.torch_runtime import TorchRuntime
from cloudfree.training.adaptation.examples import ClearSample, CloudTransplant, make_examples
from cloudfree.training.adaptation.fit import Adaptation, AdaptationSettings, adapt
from tests.factories.paint import Paint
from tests.factories.readiness import OneAtATime, Paired

SIDE = 32
QUICK = AdaptationSettings(clouds_per_sample=1, clouds_per_check=1, steps=60, batch=256)
GREY = 0.3  # what the network paints


class Fixed(OneAtATime):
    """What runs from a file and has no weights to learn."""

    description, batch = "an ONNX file", 1

    def run(self, inputs: Arrays) -> Arrays:
        return {"image": np.full_like(inputs["optical"], GREY)}


class Broken(nn.Module):
    """A network that answers no number."""

    def forward(self, optical: Tensor, sar: Tensor, shadow: Tensor) -> dict[str, Tensor]:
        return {"image": optical * math.nan}


def _model(network: nn.Module | None = None) -> Model:
    card = read_card(find_model(DEFAULT_MODEL))
    painting = network or Paint()
    return Model(card, TorchRuntime(painting, card.inputs, torch.device("cpu"), torch.float32))


def _samples(count: int, colour: Callable[[Float32], Float32]) -> list[ClearSample]:
    """Ground whose reflectance hangs on its backscatter, which goes from 0 to 1 over a window."""
    rng = np.random.default_rng(count)
    backscatter = np.linspace(0, 1, SIDE, dtype=np.float32) + np.zeros((SIDE, 1), np.float32)
    sar = np.stack([-25.0 + 25.0 * backscatter, -32.5 + 32.5 * backscatter])
    samples = []
    for _ in range(count):
        noise = rng.normal(0, 0.005, (13, SIDE, SIDE)).astype(np.float32)
        inputs = TileInputs(colour(backscatter) + noise, sar)
        samples.append(ClearSample(inputs, np.ones((SIDE, SIDE), np.bool_)))
    return samples


def _even(brightness: float) -> Callable[[Float32], Float32]:
    return lambda backscatter: np.full_like(backscatter, brightness)


def _rising(backscatter: Float32) -> Float32:
    return 0.1 + 0.3 * backscatter


def _adapt(
    training: Callable[[Float32], Float32],
    held_out: Callable[[Float32], Float32],
    settings: AdaptationSettings = QUICK,
    model: Model | None = None,
    transplants: Sequence[CloudTransplant] = (),
) -> Adaptation:
    samples = _samples(6, training), _samples(3, held_out)
    return adapt(model or _model(), *samples, transplants, settings, silent)


def _filled(model: Model, colour: Callable[[Float32], Float32] = _rising) -> Float32:
    return model.predict([_samples(1, colour)[0].inputs])[0]


def test_the_colour_of_the_scene_is_learned_and_kept() -> None:
    result = _adapt(_even(0.2), _even(0.2))
    assert result.kept
    assert result.gain_db > 6
    assert result.share == 0.75, "the more of it the better"
    found = float(_filled(result.model, _even(0.2)).mean())
    assert found == pytest.approx(0.25 * GREY + 0.75 * 0.2, abs=0.02)


def test_radar_predicts_colours_that_the_network_does_not_know() -> None:
    filled = _filled(_adapt(_rising, _rising).model).mean(axis=(0, 1))
    assert np.corrcoef(filled, np.linspace(0, 1, SIDE))[0, 1] > 0.98
    assert filled[-4:].mean() - filled[:4].mean() > 0.15


def test_what_does_not_hold_elsewhere_is_thrown_away() -> None:
    """Ground in the shadow teaches to paint dark; ground in the sun shows that this is wrong."""
    model = _model()
    result = _adapt(_even(0.05), _even(0.35), model=model)
    assert not result.kept
    assert result.gain_db < 0
    assert result.share == 0.25, "the less of it the better"
    assert result.model is model


def test_a_gain_within_the_margin_is_thrown_away() -> None:
    model = _model()
    result = _adapt(_even(0.2), _even(0.2), replace(QUICK, margin_db=100.0), model)
    assert result.gain_db > 6
    assert result.model is model


def test_a_model_without_weights_is_corrected_too() -> None:
    model = Model(_model().card, Fixed())
    result = _adapt(_rising, _rising, model=model)
    assert result.kept
    assert result.model.runtime.description == "an ONNX file"


def test_the_same_seed_gives_the_same_and_another_one_another() -> None:
    first, again, other = (
        _filled(_adapt(_rising, _rising, replace(QUICK, seed=seed)).model) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_it_does_not_touch_the_random_numbers_of_others() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    _adapt(_rising, _rising)
    assert torch.equal(torch.rand(3), expected)


def test_a_slow_network_sees_what_the_time_allows() -> None:
    """At least one example of either kind; a single sample checks nothing."""
    result = _adapt(_rising, _rising, replace(QUICK, seconds=0.0))
    assert not result.kept
    assert math.isnan(result.gain_db)


def test_a_network_that_answers_no_number_is_left_as_it_is() -> None:
    model = _model(Broken())
    result = _adapt(_rising, _rising, model=model)
    assert (result.kept, result.model is model) == (False, True)


def test_single_pixels_make_no_blocks_to_learn_from() -> None:
    model, training = _model(), _samples(6, _rising)
    for sample in training:
        sample.known[::2] = sample.known[:, ::2] = False
    result = adapt(model, training, _samples(3, _rising), (), QUICK, silent)
    assert (result.kept, result.model is model) == (False, True)
    assert math.isnan(result.gain_db)


def test_only_known_pixels_are_learned_from() -> None:
    """The unknown half of each window is black; that is not to be learned."""
    training = _samples(6, _even(0.2))
    for sample in training:
        sample.known[:, SIDE // 2 :] = False
        sample.inputs.optical[:, :, SIDE // 2 :] = 0.0
    result = adapt(_model(), training, _samples(3, _even(0.2)), (), QUICK, silent)
    found = float(_filled(result.model, _even(0.2))[:, :, : SIDE // 2].mean())
    assert found == pytest.approx(0.25 * GREY + 0.75 * 0.2, abs=0.02)


def test_colours_of_the_clouds_of_a_scene_are_not_taken_for_those_of_its_ground() -> None:
    """Under drawn clouds, darker in the short-wave infrared, that much light there is bare soil."""
    seen = np.full((13, SIDE, SIDE), 0.6, np.float32)
    opaque = np.ones((SIDE, SIDE), np.float32)
    mask = np.full(opaque.shape, MaskClass.CLOUD, np.uint8)
    transplant = CloudTransplant(seen, np.full_like(seen, GREY), opaque, mask)
    training, held_out = (
        [_samples(1, _even(colour))[0] for colour in np.linspace(0.05, 0.25, count)]
        for count in (6, 3)
    )
    settings = replace(QUICK, clouds_per_sample=8, clouds_per_check=8)
    cloudy = replace(training[0].inputs, optical=seen)

    def error(transplants: Sequence[CloudTransplant]) -> float:
        model = adapt(_model(), training, held_out, transplants, settings, silent).model
        return float(abs(model.predict([cloudy])[0][-2:].mean() - 0.15))

    assert error([transplant]) < 0.5 * error([])


def test_an_example_hides_what_is_known_and_nothing_else() -> None:
    samples = _samples(2, _even(0.2))
    for sample in samples:
        sample.inputs.optical[:, :, :8] = 0.9
        sample.known[:, :8] = False
    for example in make_examples(_model(), samples, (), 2 * len(samples), (0,), 1e6, silent):
        image, optical, sar = example.inputs
        assert optical is not None and sar is not None
        assert image.shape == example.truth.shape == optical.shape == (1, 13, SIDE, SIDE)
        assert not example.hidden[..., :8].any()
        assert 64 <= int(example.hidden.sum()) <= SIDE * (SIDE - 8)
        changed = (optical != example.truth).any(dim=1, keepdim=True)
        assert not (example.hidden & ~changed).any()
        assert torch.allclose(image, torch.tensor(GREY))


def test_an_example_has_the_shadows_of_its_clouds() -> None:
    """As in `remove`, those of the mask: what dims the ground, not what covers it."""
    (sample,) = _samples(1, _even(0.2))
    drawn = [sample.under(OPTICAL_BANDS, (), np.random.default_rng(seed)) for seed in range(20)]
    shadows = [inputs.shadow for inputs, _ in drawn if inputs.shadow is not None]
    assert len(shadows) == 20
    assert any(shadow.any() for shadow in shadows)
    for inputs, hidden in drawn:
        dim = inputs.shadow & hidden
        assert (inputs.optical[7] <= sample.inputs.optical[7])[dim].all()


def test_examples_are_made_side_by_side() -> None:
    model = Model(read_card(find_model(DEFAULT_MODEL)), Paired())
    examples = list(make_examples(model, _samples(2, _rising), (), 4, (0,), 1e6, silent))
    assert [example.sample for example in examples] == [0, 1, 0, 1]


def test_ground_that_no_cloud_hides_gives_no_example() -> None:
    unknown = [ClearSample(g.inputs, np.zeros_like(g.known)) for g in _samples(2, _rising)]
    assert list(make_examples(_model(), unknown, (), 4, (0,), 1e6, silent)) == []


def test_every_sample_comes_before_any_comes_again() -> None:
    examples = make_examples(_model(), _samples(3, _rising), (), 5, (0,), 1e6, silent)
    assert [example.sample for example in examples] == [0, 1, 2, 0, 1]
