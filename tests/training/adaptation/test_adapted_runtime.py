"""A runtime with a correction: its image, and nothing else of it, is changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cloudfree.inference.model import Arrays
from cloudfree.training.adaptation.adapted_runtime import AdaptedRuntime
from cloudfree.training.adaptation.scene_correction import SceneCorrection
from tests.factories.readiness import OneAtATime, Paired


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


def test_it_is_described_as_the_runtime_that_it_corrects() -> None:
    runtime = AdaptedRuntime(Known(), _correction((0.0, 0.0), 4), (1, 2), 1.0)
    assert (runtime.description, runtime.batch) == ("known", 3)


def test_as_many_batches_run_side_by_side_as_of_the_runtime_that_it_corrects() -> None:
    runtime = AdaptedRuntime(Paired(), _correction((0.0, 0.0), 4), (1, 2), 1.0)
    with runtime.parallel_batches() as batches:
        assert batches == 2
