"""A model as ONNX: refusals, tiles of one size, and scenes filled with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from cloudfree.commands.models import check as models_check
from cloudfree.commands.models import export
from cloudfree.commands.models import show as models_show
from cloudfree.commands.models.check import CheckOptions
from cloudfree.commands.models.convert import ConvertOptions
from cloudfree.commands.models.convert import run as convert
from cloudfree.commands.models.export import ExportOptions, ExportResult
from cloudfree.commands.models.show import ShowOptions
from cloudfree.commands.remove.run import RemoveOptions, run
from cloudfree.core.terminal import silent
from cloudfree.errors import CloudfreeError, ModelError, OutputError
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.load import load_model
from cloudfree.inference.model import TileInputs
from tests.factories.networks import lively
from tests.factories.rasters import write_cloudy_scene, write_radar
from tests.factories.toy_network import plant
from tests.inference.test_checkpoint import SMALL


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network whose result depends on both inputs."""
    path = tmp_path_factory.mktemp("export") / "small.pth"
    torch.save(lively(build_network("dsen2_cr", SMALL["dsen2_cr"])).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def exported(checkpoint: Path) -> ExportResult:
    """The same as ONNX."""
    return export.run(ExportOptions(str(checkpoint), checkpoint.with_suffix(".onnx")), silent)


def _pixels(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read()


def _exported_here(model: str, output: Path) -> ExportResult:
    """The export without a child process, which knows nothing of what a test planted here."""
    return export.write_export(ExportOptions(model, output), output, lambda _: None)


def _remove(folder: Path, model: object, **options: object) -> tuple[np.ndarray, str]:
    output = folder / "result.tif"
    result = run(
        RemoveOptions(
            s2=folder / "l1c.tif", s1=(folder / "vv_vh.tif",), output=output, model=str(model),
            shift="none", device="cpu", overwrite=True, **options,
        ),
        silent,
    )  # fmt: skip
    return _pixels(output).astype(float), result.runtime


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A folder with a cloudy scene of 96 pixels and its radar."""
    write_cloudy_scene(tmp_path / "l1c.tif")
    write_radar(tmp_path / "vv_vh.tif")
    return tmp_path


def test_a_scene_is_filled_as_with_torch(
    scene: Path, checkpoint: Path, exported: ExportResult
) -> None:
    wanted, on_torch = _remove(scene, checkpoint, tile=64)
    found, on_onnx = _remove(scene, exported.output, tile=64)
    assert on_torch.startswith("torch")
    assert on_onnx.startswith("ONNX Runtime")
    assert on_onnx.endswith("CPUExecutionProvider")
    assert np.abs(found - wanted).max() <= 1  # a digital number is 1e-4 of reflectance
    assert (found != _pixels(scene / "l1c.tif")).any()


def test_what_was_written_is_reported(exported: ExportResult) -> None:
    assert exported.dynamic == ("batch", "height", "width")
    assert exported.inputs["optical"] == ["batch", 13, "height", "width"]
    assert exported.outputs == ["image"]
    assert exported.difference <= 1e-4
    assert exported.license == "GPL-3.0"
    assert "largest difference to torch" in exported.summary()
    assert "free: batch, height, width" in exported.summary()


def test_an_onnx_file_is_shown_and_reproduces_published_arrays(
    golden: Path, tmp_path: Path
) -> None:
    folder = golden / "dsen2_cr" / "small"
    output = tmp_path / "published.onnx"
    export.run(ExportOptions(str(folder / "weights.safetensors"), output), silent)
    shown = models_show.run(ShowOptions(str(output)), silent)
    assert shown.parameters is None
    assert "takes       sar batch x 2 x height x width" in shown.summary()
    arrays = folder / "inputs.npz", folder / "outputs.npz"
    checked = models_check.run(CheckOptions(str(output), *arrays), silent)
    assert checked.largest <= 1e-4
    assert checked.runtime.startswith("ONNX Runtime")


@pytest.mark.slow
def test_several_outputs_and_one_input_survive(golden: Path, tmp_path: Path) -> None:
    folder = golden / "spa_gan" / "published_RICE1"
    output = tmp_path / "published.onnx"
    export.run(ExportOptions(str(folder / "gen_model_epoch_200.pth"), output, opset=20), silent)
    arrays = folder / "inputs.npz", folder / "outputs.npz"
    checked = models_check.run(CheckOptions(str(output), *arrays), silent)
    assert checked.differences.keys() == {"out", "attention"}


class TestAnAddedNetwork:
    """One file, one row, one card."""

    def test_it_fills_a_scene(self, monkeypatch, scene: Path) -> None:
        plant(monkeypatch, scene)
        filled, _ = _remove(scene, "toy-one", replace="all")
        assert (filled == 1234).all()

    def test_it_is_exported_and_fills_the_same(self, monkeypatch, scene: Path) -> None:
        plant(monkeypatch, scene)
        result = _exported_here("toy-one", scene / "toy.onnx")
        assert result.inputs["sar"] == ["batch", 2, "4*rows", "4*columns"]
        assert result.outputs == ["image", "radar"]
        filled, _ = _remove(scene, result.output, replace="all")
        assert (filled == 1234).all()

    def test_one_that_knows_one_size_is_exported_for_the_tile_of_its_card(
        self, monkeypatch, scene: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        plant(monkeypatch, scene, side=32)
        caplog.set_level("INFO")
        result = _exported_here("toy-one", scene / "toy.onnx")
        assert "the file is for tiles of 32 pixels" in caplog.text
        assert result.inputs["optical"] == ["batch", 13, 32, 32]
        assert result.dynamic == ("batch",)
        filled, _ = _remove(scene, result.output, replace="all")
        assert (filled == 1234).all()
        with pytest.raises(
            ModelError, match=r"1 x 13 x 64 x 64 .*; wanted batch x 13 x 32 x 32; .*--tile"
        ):
            _remove(scene, result.output, replace="all", tile=64)
        # Smaller ones are padded to that tile.
        tile = TileInputs(np.full((13, 7, 20), 0.3, np.float32), np.zeros((2, 7, 20), np.float32))
        (prediction,) = load_model(str(result.output), "cpu").predict([tile])
        assert prediction.shape == (13, 7, 20)
        assert np.allclose(prediction, 0.1234)


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.pth", "a.pth for an ONNX file; wanted a name that ends in .onnx"),
            ("small.onnx", "exists already; wanted a new name"),
            ("none/a.onnx", "none"),
        ],
    )
    def test_names_that_cannot_be_written(
        self, checkpoint: Path, exported: ExportResult, name: str, text: str
    ) -> None:
        with pytest.raises(OutputError, match=text):
            export.run(ExportOptions(str(checkpoint), checkpoint.parent / name), silent)

    def test_a_disk_that_is_full(
        self, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(export, "in_child_process", full)
        with pytest.raises(OutputError, match=r"cannot be written \(.*No space left"):
            export.run(ExportOptions(str(checkpoint), tmp_path / "a.onnx"), silent)
        assert list(tmp_path.iterdir()) == []

    def test_an_onnx_file_is_not_exported_or_converted(
        self, exported: ExportResult, tmp_path: Path
    ) -> None:
        onnx = str(exported.output)
        with pytest.raises(ModelError, match="is an ONNX file; wanted a model or a checkpoint"):
            export.run(ExportOptions(onnx, tmp_path / "a.onnx"), silent)
        with pytest.raises(ModelError, match="is an ONNX file; wanted a checkpoint"):
            convert(ConvertOptions(onnx, tmp_path / "own"), silent)

    def test_a_file_that_differs_from_torch(
        self, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cloudfree.inference.export.TOLERANCE", -1.0)
        with pytest.raises(CloudfreeError, match="differs from torch"):
            _exported_here(str(checkpoint), tmp_path / "a.onnx")

    def test_a_failure_leaves_nothing_behind(self, tmp_path: Path) -> None:
        (tmp_path / "a.pth").write_bytes(b"no checkpoint")
        with pytest.raises(ModelError, match=r"a\.pth is no checkpoint; wanted"):
            export.run(ExportOptions(str(tmp_path / "a.pth"), tmp_path / "a.onnx"), silent)
        assert [path.name for path in tmp_path.iterdir()] == ["a.pth"]
