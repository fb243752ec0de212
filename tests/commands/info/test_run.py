"""`cloudfree info` without a product: what is installed."""

from __future__ import annotations

import hashlib
import platform
import sys
from pathlib import Path

import pytest

from cloudfree.commands.info import run as info_installation
from cloudfree.commands.info.run import InfoOptions, installation, run
from cloudfree.core.terminal import silent
from cloudfree.inference import registry
from cloudfree.inference.model_card import toml_text
from tests.factories.plugin_network import write_plugin


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


def test_a_model_of_a_network_of_ones_own_is_sound_with_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registry, "_loaded", {})
    plugin, folder = write_plugin(tmp_path), tmp_path / "models" / "own"
    folder.mkdir(parents=True)
    (folder / "a.safetensors").touch()
    digest = hashlib.sha256(b"").hexdigest()
    card = {"name": "own", "network": "brighten", "weights": "a.safetensors"}
    (folder / "card.toml").write_text(toml_text({**card, "weights_sha256": digest}))
    monkeypatch.setenv("CLOUDFREE_MODELS", str(folder.parent))
    (problem,) = run(InfoOptions(), silent).problems
    assert "model own is broken (no network 'brighten'" in problem.found
    assert run(InfoOptions(plugin=(plugin,)), silent).problems == ()
