"""Detectors of other packages, by what they are given and what they give back."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cloudfree.cloudmask.package_detectors import (
    OMNICLOUDMASK_BANDS,
    S2CLOUDLESS_BANDS,
    OmniCloudMask,
    S2Cloudless,
)
from cloudfree.errors import InputError


def _planes(bands: tuple[str, ...]) -> dict[str, np.ndarray]:
    return {band: np.full((40, 40), 0.01 * number, np.float32) for number, band in enumerate(bands)}


def test_s2cloudless_is_given_reflectance_of_its_bands_and_averaged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[np.ndarray] = []

    class Classifier:
        def __init__(self, **settings: Any) -> None:
            assert settings == {"all_bands": False}

        def get_cloud_probability_maps(self, data: np.ndarray) -> np.ndarray:
            given.append(data)
            cloud = np.zeros(data.shape[:3], np.float32)
            cloud[:, 20, 20] = 1.0
            return cloud

    monkeypatch.setitem(
        sys.modules, "s2cloudless", SimpleNamespace(S2PixelCloudDetector=Classifier)
    )
    found = S2Cloudless().probabilities(_planes(S2CLOUDLESS_BANDS))
    assert given[0].shape == (1, 40, 40, 10)
    np.testing.assert_allclose(given[0][0, 0, 0], 0.01 * np.arange(10), atol=1e-6)
    assert found.cloud.sum() == pytest.approx(1.0)
    assert 0 < found.cloud[20, 23] == pytest.approx(float(found.cloud[20, 20]))
    assert not found.shadow.any()


def test_omnicloudmask_is_given_red_green_and_infrared(monkeypatch: pytest.MonkeyPatch) -> None:
    def predict(array: np.ndarray, **settings: Any) -> np.ndarray:
        assert settings["export_confidence"]
        np.testing.assert_allclose(array[:, 0, 0], [0.0, 100.0, 200.0], atol=0.01)
        return np.stack([np.full(array.shape[1:], share) for share in (0.1, 0.2, 0.3, 0.4)])

    monkeypatch.setitem(sys.modules, "omnicloudmask", SimpleNamespace(predict_from_array=predict))
    found = OmniCloudMask().probabilities(_planes(OMNICLOUDMASK_BANDS))
    values = [float(plane[0, 0]) for plane in (found.cloud, found.thin_cloud, found.shadow)]
    assert values == pytest.approx([0.2, 0.3, 0.4])
    assert not found.snow.any()


@pytest.mark.parametrize("detector", [S2Cloudless(), OmniCloudMask()], ids=lambda one: one.name)
def test_missing_bands_and_packages_are_named(
    detector: S2Cloudless | OmniCloudMask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="no band"):
        detector.bands(("B02",))
    bands = S2CLOUDLESS_BANDS if detector.name == "s2cloudless" else OMNICLOUDMASK_BANDS
    assert detector.bands((*bands, "B07")) == bands
    monkeypatch.setitem(sys.modules, detector.name, None)
    with pytest.raises(InputError, match="not installed") as refusal:
        detector.probabilities(_planes(bands))
    assert f"cloudfree[{detector.name}]" in str(refusal.value)
