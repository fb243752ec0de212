"""The network of the cloud detector, and its ONNX file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from cloudfree.cloudmask.network_detector import DETECTOR_BANDS
from cloudfree.training.detector.network import CLASSES, CloudDetector, write_detector


@pytest.mark.parametrize(("height", "width"), [(64, 64), (128, 192)])
def test_every_cell_has_logits(height: int, width: int) -> None:
    network = CloudDetector(DETECTOR_BANDS).eval()
    logits = network(torch.rand(2, 10, height, width), torch.ones(2, 10))
    assert logits.shape == (2, CLASSES, height, width)


def test_it_is_small_enough() -> None:
    assert sum(one.numel() for one in CloudDetector(DETECTOR_BANDS).parameters()) < 1_000_000


def test_which_bands_there_are_changes_what_it_sees() -> None:
    torch.manual_seed(0)
    network, optical = CloudDetector(DETECTOR_BANDS).eval(), torch.rand(1, 10, 64, 64)
    fewer = torch.ones(1, 10)
    fewer[0, 7] = 0.0
    assert not torch.equal(network(optical, torch.ones(1, 10)), network(optical, fewer))


def test_the_file_gives_probabilities_of_any_size(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, path = CloudDetector(DETECTOR_BANDS).eval(), tmp_path / "detector.onnx"
    write_detector(network, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    optical, present = torch.rand(1, 10, 128, 320), torch.ones(1, 10)
    given = {"optical": optical.numpy(), "present": present.numpy()}
    (found,) = session.run(None, given)
    with torch.inference_mode():
        expected = network(optical, present).softmax(dim=1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
