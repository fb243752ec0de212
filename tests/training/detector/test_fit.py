"""Fitting the cloud detector."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask.network_detector import DETECTOR_BANDS, NEEDED_BANDS
from cloudfree.training.detector.fit import SHORT_WAVE, Batch, cell_labels, fit, leave_out
from cloudfree.training.detector.labels import Label
from cloudfree.training.detector.network import CloudDetector


def _bright_is_cloud(step: int) -> Batch:
    torch.manual_seed(step)
    labels = torch.randint(0, 2, (2, 4, 4)).repeat_interleave(32, 1).repeat_interleave(32, 2)
    optical = (0.1 + 0.6 * labels[:, None]).expand(-1, 10, -1, -1) + 0.02 * torch.rand(1)
    return Batch(optical, torch.ones(2, 10), labels)


def test_a_network_learns_that_bright_is_cloud(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = CloudDetector(DETECTOR_BANDS)
    fit(network, _bright_is_cloud, 40, tmp_path / "checkpoint.pt")
    batch = _bright_is_cloud(999)
    found = network.eval()(batch.optical, batch.present).argmax(dim=1)
    assert (found == batch.labels).float().mean() > 0.9


def test_a_stopped_run_goes_on_to_the_same_end(tmp_path: Path) -> None:
    def fitted(name: str, stops: tuple[int, ...]) -> CloudDetector:
        for stop in stops:
            torch.manual_seed(0)
            network = CloudDetector(DETECTOR_BANDS)

            def draw(step: int, stop: int = stop) -> Batch:
                if step == stop:
                    raise KeyboardInterrupt
                return _bright_is_cloud(step)

            with suppress(KeyboardInterrupt):
                fit(network, draw, 8, tmp_path / name, every=4)
        return network

    whole, stopped = fitted("whole", (8,)), fitted("stopped", (5, 8))
    for one, other in zip(whole.parameters(), stopped.parameters(), strict=True):
        torch.testing.assert_close(one, other)


def test_a_cell_has_the_label_of_three_of_its_pixels() -> None:
    labels = torch.tensor([[[0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 1, 1]]])
    assert cell_labels(labels).tolist() == [[[0, 1, int(Label.UNKNOWN)]]]


@given(st.integers(0, 2**16))
def test_the_bands_of_ten_metres_are_never_left_out(seed: int) -> None:
    present = np.ones(len(DETECTOR_BANDS), np.bool_)
    present[0] = False
    kept = leave_out(present, np.random.default_rng(seed))
    assert kept[np.isin(DETECTOR_BANDS, NEEDED_BANDS)].all()
    assert not kept[0]


@given(st.integers(0, 2**16))
def test_small_clouds_keep_the_short_wave_by_which_they_are_told(seed: int) -> None:
    present = np.ones(len(DETECTOR_BANDS), np.bool_)
    kept = leave_out(present, np.random.default_rng(seed), needs_short_wave=True)
    assert kept[np.isin(DETECTOR_BANDS, SHORT_WAVE)].all()
    present[np.isin(DETECTOR_BANDS, SHORT_WAVE)] = False
    kept = leave_out(present, np.random.default_rng(seed), needs_short_wave=True)
    assert not kept[np.isin(DETECTOR_BANDS, SHORT_WAVE)].any()
