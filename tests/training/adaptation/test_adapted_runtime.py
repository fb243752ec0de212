"""A runtime with a correction: its image, and nothing else of it, is changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cloudfree.inference.model import Arrays
from cloudfree.training.adaptation.adapted_runtime import (
    FARTHEST,
    AdaptedRuntime,
    SceneCorrection,
    features_of,
    tensors_of,
)
from tests.factories.readiness import OneAtATime, Paired

sides = st.integers(1, 40)


def _seen(bands: int, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(bands)
    image, optical = torch.rand(2, 2, bands, height, width)
    return image, optical, torch.rand(2, 2, height, width)


@given(bands=st.integers(1, 13), height=sides, width=sides)
def test_before_it_has_learned_it_adds_nothing(bands: int, height: int, width: int) -> None:
    seen = _seen(bands, height, width)
    correction = SceneCorrection(features_of(*seen).shape[1], bands)
    assert torch.equal(correction(*seen), torch.zeros_like(seen[0]))


@given(height=sides, width=sides)
def test_even_radar_is_its_own_mean_everywhere(height: int, width: int) -> None:
    """Squares that reach beyond the border count what lies inside."""
    image, optical, sar = _seen(3, height, width)
    features = features_of(image, optical, torch.full_like(sar, 0.5))[:, 6:]
    assert features.shape[-2:] == (-(-height // 2), -(-width // 2))
    expected = torch.tensor([0.5, 0.5] + 3 * [0.5, 0.5, 0.0, 0.0])
    torch.testing.assert_close(
        features, expected.reshape(1, -1, 1, 1).expand_as(features), atol=1e-3, rtol=0
    )


def test_a_single_bright_block_shows_as_far_as_the_squares_reach() -> None:
    sar = torch.zeros(1, 1, 66, 66)
    sar[..., 32:34, 32:34] = 1.0
    features = features_of(torch.zeros(1, 1, 66, 66), None, sar)[0, 1:]
    reached = [int((plane > 0).sum(dim=1).max()) for plane in (features[0], *features[1::2])]
    assert reached == [1, 3, 7, 15]
    assert features[1, 16, 16] == pytest.approx(1 / 9)
    assert features[2, 16, 16] == pytest.approx((1 / 9 - 1 / 81) ** 0.5)


def test_turned_ground_is_corrected_the_same_but_turned() -> None:
    seen = _seen(3, 24, 24)
    correction = _unlike_nothing(seen)
    turned = correction(*(torch.rot90(one, dims=(2, 3)) for one in seen))
    # Sums in another order: the root of a small variance makes their last digits larger.
    expected = torch.rot90(correction(*seen), dims=(2, 3))
    torch.testing.assert_close(turned, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("missing", [1, 2])
def test_what_a_network_does_not_look_at_is_left_out(missing: int) -> None:
    seen: list[Tensor | None] = list(_seen(3, 16, 16))
    seen[missing] = None
    image, optical, sar = seen
    assert image is not None
    features = features_of(image, optical, sar).shape[1]
    assert features == {1: 3 + 14, 2: 6}[missing]
    assert SceneCorrection(features, 3)(image, optical, sar).shape == image.shape


def test_radar_beyond_all_that_is_known_counts_as_the_farthest_known() -> None:
    seen = _seen(3, 16, 16)
    correction = _unlike_nothing(seen)
    usual = features_of(*seen).movedim(1, -1)[0, 0, 0]
    far, farther = (
        torch.cat([usual[:6], (correction.mean + times * correction.deviation)[6:]])
        for times in (FARTHEST, 100 * FARTHEST)
    )
    torch.testing.assert_close(correction.correct_blocks(farther), correction.correct_blocks(far))
    assert not torch.allclose(correction.correct_blocks(usual), correction.correct_blocks(far))


@pytest.mark.parametrize(
    ("deviations", "share"), [(0.0, 1), (1.5, 1), (2.0, 0.5), (2.5, 0), (9, 0)]
)
def test_strange_ground_is_left_as_the_network_filled_it(deviations: float, share: float) -> None:
    """A correction learned at sea says nothing of land."""
    correction = SceneCorrection(6, 3)
    torch.nn.init.constant_(correction.layers[-1].bias, 0.1)
    features = torch.tensor([3 * [deviations] + 3 * [0.0]])
    torch.testing.assert_close(correction.correct_blocks(features), torch.full((1, 3), 0.1 * share))


def _unlike_nothing(seen: tuple[Tensor, Tensor, Tensor]) -> SceneCorrection:
    features = features_of(*seen)
    correction = SceneCorrection(features.shape[1], seen[0].shape[1])
    correction.fit_normalisation(features.movedim(1, -1).flatten(0, 2))
    torch.nn.init.normal_(correction.layers[-1].weight)
    return correction


class Known(OneAtATime):
    """Gives back its red and green, and a variance."""

    description, batch = "known", 3

    def run(self, inputs: Arrays) -> Arrays:
        image = inputs["optical"][:, 1:3].copy()
        return {"image": image, "variance": np.full_like(image, 0.5)}


def _correction(change: tuple[float, float], features: int) -> SceneCorrection:
    correction = SceneCorrection(features, 2)
    torch.nn.init.zeros_(correction.layers[-1].weight)
    correction.layers[-1].bias.data = torch.tensor(change)
    return correction


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_share_of_the_correction_is_added_to_the_image_alone(share: float) -> None:
    inputs = {
        "optical": np.random.default_rng(0).random((2, 4, 8, 8), np.float32),
        "sar": np.zeros((2, 2, 8, 8), np.float32),
    }
    runtime = AdaptedRuntime(Known(), _correction((0.1, -0.2), 4 + 14), (1, 2), share)
    outputs = runtime.run(inputs)
    wanted = inputs["optical"][:, 1:3] + share * np.float32([0.1, -0.2])[:, None, None]
    np.testing.assert_allclose(outputs["image"], wanted, atol=1e-6)
    assert outputs["image"].dtype == np.float32
    assert (outputs["variance"] == 0.5).all()


def test_a_network_without_radar_is_corrected_by_what_it_sees() -> None:
    inputs = {"optical": np.zeros((1, 4, 8, 8), np.float32)}
    runtime = AdaptedRuntime(Known(), _correction((0.3, 0.3), 4), (1, 2), 1.0)
    np.testing.assert_allclose(runtime.run(inputs)["image"], 0.3, atol=1e-6)


def test_it_is_features_as_the_runtime_that_it_corrects() -> None:
    runtime = AdaptedRuntime(Known(), _correction((0.0, 0.0), 4), (1, 2), 1.0)
    assert (runtime.description, runtime.batch) == ("known", 3)


def test_as_many_batches_run_side_by_side_as_of_the_runtime_that_it_corrects() -> None:
    runtime = AdaptedRuntime(Paired(), _correction((0.0, 0.0), 4), (1, 2), 1.0)
    with runtime.parallel_batches() as batches:
        assert batches == 2


def test_of_several_dates_the_correction_sees_that_of_the_tile() -> None:
    rng = np.random.default_rng(0)
    optical, sar, image = (
        rng.random(shape, dtype=np.float32)
        for shape in ((2, 3, 13, 8, 8), (2, 3, 2, 8, 8), (2, 13, 8, 8))
    )
    dated = {"optical": optical, "sar": sar, "dates": np.zeros((2, 3), np.float32)}
    single = {"optical": optical[:, 0], "sar": sar[:, 0]}
    found, wanted = (tensors_of(image, inputs, range(13)) for inputs in (dated, single))
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))
