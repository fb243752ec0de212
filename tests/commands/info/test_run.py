"""`cloudfree info` without a product: what is installed."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from cloudfree.commands.info import run as info_installation
from cloudfree.commands.info.run import installation


def test_the_installation_of_these_tests_is_sound() -> None:
    found = installation()
    assert found.problems == ()
    assert found.exit_code == 0
    assert found.drivers["COG"]
    assert "CPU" in found.providers
    assert "cloudfree-s" in found.models
    assert found.summary().splitlines()[-1] == "OK"


def test_two_packages_of_onnx_runtime_are_reported_with_the_way_to_mend_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = ["onnxruntime", "onnxruntime-gpu"]
    monkeypatch.setattr(info_installation, "_runtime_packages", lambda: both)
    found = installation()
    (problem,) = (p for p in found.problems if "share one folder" in p.found)
    assert problem.mend.startswith("pip uninstall -y onnxruntime onnxruntime-gpu && pip install")
    assert found.exit_code == 1


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="has wheels for a GPU"
)
@pytest.mark.parametrize(
    ("torch", "wanted"), [("2.13.0+cpu", "onnxruntime"), ("2.13.0", "onnxruntime-gpu")]
)
def test_the_runtime_to_keep_is_that_of_the_build_of_torch(
    monkeypatch: pytest.MonkeyPatch, torch: str, wanted: str
) -> None:
    version = info_installation._version
    monkeypatch.setattr(
        info_installation, "_version", lambda name: torch if name == "torch" else version(name)
    )
    for found in ([], ["onnxruntime", "onnxruntime-gpu"]):
        monkeypatch.setattr(info_installation, "_runtime_packages", lambda found=found: found)
        mends = [one.mend for one in installation().problems]
        assert any(mend.endswith(f"pip install {wanted}") for mend in mends)


def test_a_missing_driver_and_a_broken_model_are_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(info_installation.gdal, "drivers", lambda: {"COG": False})
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "card.toml").write_text("name = 1")
    monkeypatch.setenv("CLOUDFREE_MODELS", str(tmp_path))
    problems = [str(problem) for problem in installation().problems]
    assert any(text.startswith("GDAL has no driver COG: install") for text in problems)
    assert any(text.startswith("model broken is broken") for text in problems)
