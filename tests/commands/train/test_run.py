"""Training from a folder of patches to a model: outputs, resuming, faults, refusals."""

from __future__ import annotations

import csv
import logging
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cloudfree.commands.evaluate import run as evaluate
from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.models import export
from cloudfree.commands.models.export import ExportOptions
from cloudfree.commands.remove.run import RemoveOptions
from cloudfree.commands.remove.run import run as remove
from cloudfree.commands.train import run as train
from cloudfree.commands.train.options import TrainOptions
from cloudfree.core.terminal import silent
from cloudfree.datasets.folder import list_samples
from cloudfree.errors import CloudfreeError, InputError, ModelError, OutputError
from cloudfree.inference.load import load_model
from cloudfree.inference.model_store import read_card
from cloudfree.inference.registry import network_names
from cloudfree.training import trainer as train_session
from cloudfree.training.settings import choose_settings
from cloudfree.training.train_state import TrainState
from cloudfree.training.trainer import TrainResult
from tests.factories.damage import full_disk, half_loaded
from tests.factories.rasters import write_cloudy_scene, write_radar
from tests.factories.sample_folders import SIDE, TRAIN, VAL, write_tree, write_triplet
from tests.factories.time_series import write_series_tree
from tests.factories.training_runs import CROPS, run_training, small, words, write_patches


@pytest.fixture(scope="session")
def patches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_patches(tmp_path_factory.mktemp("patches"), side=128)


Train = Callable[..., TrainResult]


@pytest.fixture
def trained(patches: Path, tmp_path: Path) -> Train:
    def call(name: str = "run", **options: Any) -> TrainResult:
        return run_training(options.pop("data", patches), tmp_path / name, **options)

    return call


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = folder.glob("weights-*.safetensors")
    return load_file(path)


def same(one: Path, other: Path) -> bool:
    left, right = weights(one), weights(other)
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def losses(folder: Path) -> list[dict[str, str]]:
    with (folder / "losses.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- every network ------------------------------------------------------------------------------


@pytest.mark.parametrize("network", network_names())
def test_every_network_takes_two_steps_and_is_a_model_then(network: str, trained: Train) -> None:
    result = trained(network=network, checkpoint_every=1)
    first, second = losses(result.output)
    assert np.isfinite([float(first["loss"]), float(second["loss"])]).all()
    assert float(first["gradient"]) > 0
    model = load_model(str(result.output), "cpu")
    assert model.card.network == network
    assert model.card.training["steps"] == 2
    assert model.card.multiple <= CROPS.get(network, 32)


@pytest.mark.parametrize("network", network_names())
def test_every_network_learns_in_half_precision(network: str, trained: Train) -> None:
    (step,) = losses(trained(network=network, steps=1, precision="bf16").output)
    assert np.isfinite(float(step["loss"]))
    assert float(step["gradient"]) > 0


# --- what is written ----------------------------------------------------------------------------


def test_a_run_is_a_folder_with_settings_losses_pictures_and_a_model(trained: Train) -> None:
    result = trained(learning_rate=0.002, ema_decay=0.9)
    names = {path.name for path in result.output.iterdir()} - {"tensorboard"}
    assert names == {
        "settings.toml", "checkpoint.pt", "losses.csv", "samples", "card.toml",
        "weights-000002.safetensors",
    }  # fmt: skip
    assert [path.name for path in (result.output / "samples").iterdir()] == ["step-000002.png"]
    settings = tomllib.loads((result.output / "settings.toml").read_text())
    assert settings["learning_rate"] == 0.002
    assert settings["optimiser"] == "nadam", "the preset decides what is not given"
    assert settings["network_settings"] == {"features": 8, "blocks": 2}
    assert [row["step"] for row in losses(result.output)] == ["1", "2"]
    assert "2 steps on 3 patches" in result.summary()


def test_pictures_are_whole_or_not_there(
    trained: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write = Path.write_bytes

    def cut(path: Path, content: bytes) -> int:
        if not content.startswith(b"\x89PNG"):
            return write(path, content)
        write(path, content[:9])
        raise Killed

    monkeypatch.setattr(Path, "write_bytes", cut)
    with pytest.raises(Killed):
        trained()
    assert list((tmp_path / "run" / "samples").glob("*.png")) == []


def test_the_model_fills_a_scene_at_once(trained: Train, tmp_path: Path) -> None:
    result = trained()
    write_cloudy_scene(tmp_path / "l1c.tif")
    write_radar(tmp_path / "vv_vh.tif")
    result = remove(
        RemoveOptions(
            s2=tmp_path / "l1c.tif", s1=(tmp_path / "vv_vh.tif",), output=tmp_path / "out.tif",
            model=str(result.output), shift="none", device="cpu",
        ),
        silent,
    )  # fmt: skip
    assert result.output.exists()


def test_clear_patches_alone_can_be_learned_from_under_simulated_clouds(
    trained: Train, tmp_path: Path
) -> None:
    data = write_patches(tmp_path / "data", count=2)
    (data / "p0_s2_cloudy.tif").unlink()
    assert trained("paired", data=data, batch_size=1).patches == 1
    result = trained("simulated", data=data, batch_size=1, simulate_clouds=0.5)
    assert result.patches == 2
    settings = tomllib.loads((result.output / "settings.toml").read_text())
    assert settings["simulate_clouds"] == 0.5
    assert load_model(str(result.output), "cpu").card.training["simulate_clouds"] == 0.5


def test_the_moving_average_is_what_is_kept(trained: Train) -> None:
    plain, averaged = trained("plain"), trained("averaged", ema_decay=0.5)
    assert not same(plain.output, averaged.output)
    state = torch.load(averaged.output / "checkpoint.pt", weights_only=True)
    learned = state["learner"]["network"]
    assert all(torch.equal(learned[k], v) for k, v in weights(plain.output).items())


def test_tensorboard_reads_the_curves(trained: Train) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    output = trained(steps=3).output
    events = EventAccumulator(str(output / "tensorboard")).Reload()
    assert set(events.Tags()["scalars"]) == {"loss", "learning_rate", "gradient"}
    with (output / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    shown = [(event.step, event.value) for event in events.Scalars("loss")]
    assert shown == [(int(row["step"]), pytest.approx(float(row["loss"]))) for row in rows]
    assert len(shown) == 3


def test_patches_held_out_show_how_a_run_goes(trained: Train) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    held = {"steps": 4, "sample_every": 2, "checkpoint_every": 2, "hold_out": ("p2",)}
    result = trained(**held)
    with (result.output / "validation.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["2", "4"]
    assert result.validation is not None
    assert float(rows[-1]["psnr"]) == pytest.approx(result.validation.psnr)
    assert f"held out: PSNR {result.validation.psnr:.2f} dB" in result.summary()
    events = EventAccumulator(str(result.output / "tensorboard")).Reload()
    shown = [event.value for event in events.Scalars("validation/psnr")]
    assert shown == [pytest.approx(float(row["psnr"]), rel=1e-5) for row in rows]


def test_a_split_file_says_what_is_learned_from_and_what_validates(
    trained: Train, tmp_path: Path
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("# Mine.\nname,split\np0,train\np1,val\np2,test\n")
    result = trained(split=str(file))
    assert "2 steps on 1 patches" in result.summary()
    assert (result.output / "split.csv").read_text() == file.read_text()
    assert (result.output / "validation.csv").exists()
    training = read_card(result.output).training
    assert (training["split"], training["patches"]) == ("mine: train", 1)
    trained(overwrite=True)
    assert not (result.output / "split.csv").exists()


def test_clouds_come_from_no_other_part_of_a_split_nor_from_what_is_held_out(
    patches: Path, tmp_path: Path
) -> None:
    """Scenes that give their clouds to a mixture are chosen apart from the patches."""
    file = tmp_path / "mine.csv"
    file.write_text("name,split\np0,train\np1,train\np2,test\n")
    own: dict[str, Any] = {"split": str(file), "hold_out": ("p1",), "s2_offset": 0.0}
    options = TrainOptions("dsen2_cr", (patches,), tmp_path / "run", **own)
    data = train.samples_of(options, choose_settings("dsen2_cr", options.changes))
    assert [sample.name for sample in data.learned] == ["p0"]
    assert [sample.name for sample in data.unseen] == ["p1"]
    samples = list_samples(patches, offset_dn=0.0).samples
    assert [sample.name for sample in samples if data.excluded.holds(sample)] == ["p1", "p2"]


def test_validation_is_that_of_evaluate(trained: Train, patches: Path, tmp_path: Path) -> None:
    result = trained(steps=2, hold_out=("p2",), crop=128)
    only = tmp_path / "only"
    only.mkdir()
    for file in patches.glob("p2_*"):
        (only / file.name).symlink_to(file)
    options = EvaluateOptions(only, (str(result.output),), device="cpu", s2_offset=0.0)
    (patch,) = evaluate.run(options, silent).patches
    raw = patch.figures[f"{result.output.name}, raw"].all
    assert result.validation is not None
    assert result.validation.psnr == pytest.approx(raw.psnr, abs=1e-3)
    assert result.validation.sam == pytest.approx(raw.sam, abs=1e-3)


def test_looking_changes_nothing_that_is_learned(trained: Train) -> None:
    seldom = trained("seldom", steps=4, hold_out=("p2",))
    often = trained("often", steps=4, hold_out=("p2",), sample_every=1)
    assert same(seldom.output, often.output)


def test_nothing_held_out_is_nothing_logged(trained: Train) -> None:
    result = trained()
    assert result.validation is None
    assert not (result.output / "validation.csv").exists()


def test_no_tensorboard_is_logged_and_the_table_is_there(
    trained: Train, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with caplog.at_level("INFO", "cloudfree"):
        output = trained().output
    assert "no TensorBoard: pip install tensorboard" in caplog.text
    assert (output / "losses.csv").exists()
    assert not (output / "tensorboard").exists()


# --- the same again -----------------------------------------------------------------------------


def test_a_seed_decides_everything(trained: Train) -> None:
    one, two = trained("one", seed=3), trained("two", seed=3, num_workers=4)
    assert same(one.output, two.output)
    assert not same(one.output, trained("three", seed=4).output)


class Killed(BaseException):
    """What no part of the program catches."""


@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("ib_hfn", {"ema_decay": 0.9}),
        ("spa_gan", {}),
        ("simulation_fusion_gan", {}),
        ("glf_cr", {"precision": "bf16", "augment": True}),
        ("dsen2_cr", {"simulate_clouds": 0.7}),
    ],
)
def test_a_killed_run_goes_on_bit_for_bit(
    trained: Train, monkeypatch: pytest.MonkeyPatch, network: str, options: dict[str, Any]
) -> None:
    options = {**options, "network": network, "steps": 5, "checkpoint_every": 2}
    whole = trained("whole", **options)

    train_step = train_session.train_step

    def killed_after_three(run: Any, *rest: Any) -> Any:
        if run.step == 3:
            raise Killed
        return train_step(run, *rest)

    monkeypatch.setattr(train_session, "train_step", killed_after_three)
    with pytest.raises(Killed):
        trained("broken", **options)
    monkeypatch.undo()
    resumed = trained("broken", **options, resume=True)
    assert resumed.steps == 5
    assert same(whole.output, resumed.output)
    table, again = losses(whole.output), losses(resumed.output)
    for row in (*table, *again):
        del row["seconds"]
    assert table == again, "step 3 was taken back and taken again"


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    trained: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    save = torch.save

    def cut(state: Any, file: Any) -> None:
        if state["step"] == 2:
            file.write(b"half")
            raise Killed
        save(state, file)

    monkeypatch.setattr(torch, "save", cut)
    with pytest.raises(Killed):
        trained(checkpoint_every=1)
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 1
    assert load_model(str(tmp_path / "run"), "cpu").card.training["steps"] == 2
    monkeypatch.undo()
    assert trained(checkpoint_every=1, resume=True).steps == 2


@pytest.mark.parametrize("name", ["write_model", "save"])
def test_a_run_killed_as_it_ends_has_its_last_model_after_the_next_run(
    trained: Train, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def killed(self: Any, *rest: Any) -> Any:
        if (self.step if name == "save" else rest[-1]) == 2:
            raise Killed
        return original(self, *rest)

    place = TrainState if name == "save" else train_session
    original = getattr(place, name)
    whole = trained("whole", checkpoint_every=1)
    monkeypatch.setattr(place, name, killed)
    with pytest.raises(Killed):
        trained("broken", checkpoint_every=1)
    monkeypatch.undo()
    resumed = trained("broken", checkpoint_every=1, resume=True)
    assert load_model(str(resumed.output), "cpu").card.training["steps"] == 2
    assert same(whole.output, resumed.output)


@pytest.mark.parametrize("room", [2_000, 20_000, 60_000, 100_000])
def test_a_full_disk_is_reported_in_one_line(trained: Train, room: int) -> None:
    """Settings, tables, checkpoint or weights."""
    with full_disk(room), pytest.raises(OutputError, match=r"run cannot be written \(.*free some"):
        trained(network_setting=words({"features": 32, "blocks": 1}))


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(
    trained: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def killed(*_: Any) -> Any:
        raise Killed

    monkeypatch.setattr(train_session, "train_step", killed)
    with pytest.raises(Killed):
        trained()
    monkeypatch.undo()
    with pytest.raises(InputError, match="other patches than the run began with"):
        trained(data=write_patches(tmp_path / "more", count=4), resume=True)
    assert same(trained(resume=True).output, trained("fresh").output)


def test_training_goes_on_from_the_weights_of_a_model(trained: Train) -> None:
    before = trained("before")
    after = trained("after", init_from=str(before.output), learning_rate=1e-12, steps=1)
    old, new = weights(before.output), weights(after.output)
    assert all(torch.allclose(old[name], new[name], atol=1e-6) for name in old)
    assert load_model(str(after.output)).card.training["start"] == str(before.output)


# --- data ---------------------------------------------------------------------------------------


def test_of_sen12mscr_the_training_places_are_used(tmp_path: Path, trained: Train) -> None:
    tree = write_tree(tmp_path / "SEN12MSCR")
    assert trained(data=tree, crop=16).patches == 2
    held = trained("held", data=tree, crop=16, hold_out=(TRAIN,))
    assert held.patches == 1
    assert load_model(str(held.output)).card.training["held_out"] == [TRAIN]


def test_of_sen12mscr_the_validation_places_show_how_a_run_goes(
    tmp_path: Path, trained: Train
) -> None:
    tree = write_tree(tmp_path / "SEN12MSCR")
    result = trained(data=tree, crop=SIDE)
    options = EvaluateOptions(tree, (str(result.output),), split="val", device="cpu", s2_offset=0.0)
    (patch,) = evaluate.run(options, silent).patches
    assert patch.place == VAL
    assert result.validation is not None
    raw = patch.figures[f"{result.output.name}, raw"].all
    assert result.validation.psnr == pytest.approx(raw.psnr, abs=1e-3)
    held = trained("held", data=tree, crop=SIDE, hold_out=(TRAIN,))
    assert held.validation is not None
    assert held.validation.psnr != result.validation.psnr


def test_a_broken_patch_is_named_once_and_counted(
    tmp_path: Path, trained: Train, caplog: pytest.LogCaptureFixture
) -> None:
    data = write_patches(tmp_path / "data")
    (data / "p1_s2_clear.tif").write_text("broken")
    with caplog.at_level(logging.INFO):
        result = trained(data=data, steps=4)
    assert result.skipped == ("p1",)
    assert result.patches == 2
    own = [one.getMessage() for one in caplog.records if one.name.startswith("cloudfree")]
    warnings = [text for text in own if "p1" in text]
    assert len(warnings) == 1
    assert warnings[0].startswith("patch p1 skipped: ")
    assert "1 skipped" in result.summary()


def test_nothing_is_learned_where_the_target_has_no_data(tmp_path: Path, trained: Train) -> None:
    data = write_patches(tmp_path / "data", count=1)
    import rasterio

    with rasterio.open(data / "p0_s2_clear.tif", "r+") as file:
        pixels = file.read()
        pixels[:, :, 8:] = 0
        file.nodata = 0
        file.write(pixels)
    result = trained(data=data, crop=64, batch_size=1, loss="l1", steps=1)
    assert float(losses(result.output)[0]["loss"]) < 0.05, "7/8 of it counts nothing"


def test_a_loss_that_is_no_number_names_the_files(
    trained: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(
        InputError, match=r"(loss|gradient) (nan|inf) at step \d with .*p\d_s2_cloudy.tif, .*p\d_s2"
    ):
        trained(learning_rate=1e30, steps=6, checkpoint_every=1)
    model = load_model(str(tmp_path / "run"), "cpu")
    assert model.card.training["steps"] >= 1, "the model before is kept"


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"loss": "l3"}, InputError, "no loss 'l3'; wanted one of l1, l2, "),
        ({"network": "unet", "network_setting": ()}, ModelError, "no network 'unet'"),
        ({"loss": "gnll"}, ModelError, "returns image; wanted variance, from which"),
        ({"network": "ib_hfn", "crop": 30}, InputError, "crop of 30 .*; wanted a multiple of 4"),
        ({"crop": 256}, InputError, r"no patch of 3 can .*128 x 128 pixels, less than the crop"),
        ({"network_setting": ("features",)}, InputError, "setting 'features'; wanted NAME=VALUE"),
        ({"network_setting": ("depth=3",)}, InputError, "no setting 'depth' of network dsen2_cr"),
        ({"network_setting": ("blocks=two",)}, InputError, "blocks = 'two'; wanted a whole number"),
        ({"hold_out": ("p9",)}, InputError, "no patch or place p9 to hold out; wanted .*p0"),
        ({"split": "p9.csv"}, InputError, "--split p9.csv: No such file .* or a split file"),
        ({"hold_out": ("p0", "p1", "p2")}, InputError, "all 3 patches held out"),
        ({"resume": True}, InputError, "settings.toml cannot be read"),
    ],
)
def test_what_cannot_be_trained(
    trained: Train, tmp_path: Path, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        trained(**options)
    assert not (tmp_path / "run").exists(), "the corrected command finds nothing in its way"


def test_a_run_is_kept_where_one_in_its_place_is_refused(trained: Train) -> None:
    before = trained()
    with pytest.raises(InputError, match="'best', none of adam, "):
        trained(optimiser="best", overwrite=True)
    assert load_model(str(before.output), "cpu").card.training["steps"] == before.steps
    with pytest.raises(InputError, match="no patch of 3 can"):
        trained(crop=256, overwrite=True)
    assert trained(overwrite=True).steps == before.steps


def test_a_run_is_kept_where_the_data_of_the_next_cannot_be_read(
    trained: Train, tmp_path: Path
) -> None:
    run = trained().output
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    damaged = write_patches(tmp_path / "damaged")
    for path in damaged.glob("*.tif"):
        half_loaded(path)
    with pytest.raises(CloudfreeError):
        trained(data=damaged, overwrite=True, seed=2)
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before
    assert trained(resume=True).steps == 2


def test_a_run_is_not_replaced_unasked(trained: Train, tmp_path: Path) -> None:
    trained()
    with pytest.raises(OutputError, match=r"run is not empty; wanted a new folder; .*--resume"):
        trained()
    assert trained(overwrite=True, steps=1).steps == 1
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("years")
    with pytest.raises(OutputError, match="other holds no run"):
        trained("other", overwrite=True)


def test_a_run_goes_on_as_it_began(trained: Train, tmp_path: Path) -> None:
    trained(learning_rate=0.01)
    with pytest.raises(InputError, match=r"learning_rate = 0.1 for a run that began with 0.01"):
        trained(learning_rate=0.1, resume=True)
    with pytest.raises(InputError, match="other patches than the run began with"):
        trained(data=write_patches(tmp_path / "more", count=4), resume=True)
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    state = torch.load(checkpoint, weights_only=True)
    torch.save({**state, "processes": 2}, checkpoint)
    with pytest.raises(
        InputError, match=r"1 processes for a run that began with 2; wanted as many, .*torchrun"
    ):
        trained(resume=True)
    torch.save({"step": 1, "learner": {}}, checkpoint)
    with pytest.raises(InputError, match=r"checkpoint\.pt of another version .*--init-from"):
        trained(resume=True)
    checkpoint.write_bytes(b"half")
    with pytest.raises(InputError, match=r"checkpoint\.pt cannot be read"):
        trained(resume=True)
    checkpoint.unlink()
    with pytest.raises(InputError, match=r"checkpoint\.pt cannot be read .*--overwrite instead"):
        trained(resume=True)


# --- longer -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_batches_of_both(
    patches: Path, tmp_path: Path
) -> None:
    # L1 is a mean over the batch: the mean of two gradients is the gradient of the joint batch.
    own = ["--network-setting", "features=8", "--network-setting", "blocks=2", "--loss", "l1",
           "--optimiser", "sgd", "--no-augment", "--crop", "32", "--steps", "3", "--seed", "1",
           "--device", "cpu", "--s2-offset", "0", "--data", str(patches)]  # fmt: skip
    starts = {
        "one": [sys.executable, "-m", "cloudfree"],
        "two": [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
                "--master-port", "29617", "-m", "cloudfree"],
    }  # fmt: skip
    for name, start in starts.items():
        batch = "4" if name == "one" else "2"
        ran = subprocess.run(
            [*start, "train", "dsen2_cr", *own, "--batch-size", batch, "-o", str(tmp_path / name)],
            capture_output=True, text=True, check=False,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert all(torch.allclose(one[name], two[name], atol=1e-6) for name in one)
    ran = subprocess.run(
        [*starts["one"], "train", "dsen2_cr", *own, "--batch-size", "2", "--resume",
         "-o", str(tmp_path / "two")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "1 processes for a run that began with 2" in ran.stderr


@pytest.mark.slow
def test_a_process_that_is_killed_loses_one_interval_at_most(
    patches: Path, tmp_path: Path, trained: Train
) -> None:
    options = {"steps": 60, "checkpoint_every": 2, "seed": 5}
    whole = trained("whole", **options)
    settings = [word for pair in small("dsen2_cr") for word in ("--network-setting", pair)]
    arguments = [
        sys.executable, "-m", "cloudfree", "train", "dsen2_cr", "--data", str(patches), "-o",
        str(tmp_path / "killed"), "--steps", "60", "--checkpoint-every", "2", "--seed", "5",
        "--crop", "32", "--batch-size", "2", "--device", "cpu", "--s2-offset", "0", *settings,
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL, env=environment) as process:
        table = tmp_path / "killed" / "losses.csv"
        while process.poll() is None and not (table.exists() and len(table.read_text()) > 600):
            time.sleep(0.005)
        process.kill()
    done = len(losses(tmp_path / "killed"))
    assert 2 <= done < 60
    kept = torch.load(tmp_path / "killed" / "checkpoint.pt", weights_only=True)["step"]
    assert done - kept <= 2
    resumed = trained("killed", **options, resume=True)
    assert same(whole.output, resumed.output)


# Steps and learning rates with which a small form learns something in seconds.
QUICK = {
    "uncrtaints": {"learning_rate": 3e-3},
    "dsen2_cr": {"learning_rate": 3e-3},
}


@pytest.fixture(scope="session")
def triplets(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A miniature data set: four real triplets."""
    folder = tmp_path_factory.mktemp("triplets")
    for name in ("0316", "2266", "4065", "5254"):
        for path in (data / "triplets").glob(f"{name}_*.tif"):
            (folder / path.name).symlink_to(path)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("network", network_names())
def test_every_network_lowers_its_loss_and_works_everywhere(
    network: str, triplets: Path, tmp_path: Path
) -> None:
    options = {"steps": 80, "batch_size": 4, "crop": CROPS.get(network, 64), "learning_rate": 2e-3,
               **QUICK.get(network, {})}  # fmt: skip
    result = run_training(
        triplets, tmp_path / "run", network, schedule="constant", ema_decay=0.0, **options
    )
    assert result.last_loss < result.first_loss - 0.2 * abs(result.first_loss)
    model = str(result.output)
    scored = evaluate.run(
        EvaluateOptions(triplets, (model,), limit=1, device="cpu", s2_offset=0.0), silent
    )
    assert len(scored.patches) == 1
    exported = export.run(ExportOptions(model, tmp_path / "model.onnx"), silent)
    assert exported.difference < 1e-3
    result = remove(
        RemoveOptions(
            s2=triplets / "0316_s2_cloudy.tif", s1=(triplets / "0316_s1.tif",),
            output=tmp_path / "out.tif",
            model=model, shift="none", device="cpu", s2_offset=0.0,
        ),
        silent,
    )  # fmt: skip
    assert result.output.exists()


def test_the_preset_of_the_default_model_trains_on_all_folders(tmp_path: Path) -> None:
    real, simulated = write_patches(tmp_path / "real"), tmp_path / "simulated"
    write_triplet(simulated / "one", "", 64, seed=7)
    (simulated / "one" / "truth_mask.tif").touch()
    (real / "p1_s1.tif").unlink()

    def options(name: str, **own: Any) -> TrainOptions:
        return TrainOptions(
            "cloudfree_s", (real, simulated), tmp_path / name, preset="default", crop=16, steps=4,
            hold_out=("p2",), s2_offset=0.0, network_setting=small("cloudfree_s"),
            checkpoint_every=2, device="cpu", **own,
        )  # fmt: skip

    result = train.run(options("run"), silent)
    assert (result.patches, result.steps) == (3, 4)
    card = read_card(tmp_path / "run")
    assert card.training["data"] == "real, simulated"
    assert card.training["loss"] == "recalled-colour"
    assert card.training["held_out"] == ["p2"]
    assert result.validation is not None  # of the triplet held out
    train.run(options("again", num_workers=1), silent)
    assert same(tmp_path / "run", tmp_path / "again")
    scored = evaluate.run(
        EvaluateOptions(real, (str(tmp_path / "run"),), device="cpu", s2_offset=0.0), silent
    )
    assert len(scored.patches) == 2  # one has no radar


# --- time series --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_series_tree(tmp_path_factory.mktemp("series"))


class TestTimeSeries:
    OPTIONS: ClassVar[dict[str, Any]] = {
        "preset": "time-series", "network_setting": ("width=32", "blocks=1"), "batch_size": 1,
        "s2_offset": None,
    }  # fmt: skip

    def test_a_network_of_several_dates_learns_from_them_and_is_validated(
        self, series: Path, tmp_path: Path
    ) -> None:
        result = run_training(series, tmp_path / "run", "uncrtaints", **self.OPTIONS)
        assert (result.patches, result.steps) == (2, 2), "those of the training split"
        assert result.validation is not None
        card = load_model(str(result.output), "cpu").card
        assert card.takes_several_dates
        assert card.training["dates"] == 3
        shorter = {**self.OPTIONS, "steps": 1}
        before = run_training(series, tmp_path / "shorter", "uncrtaints", **shorter)
        moved = [
            weights(one.output)["temporal_encoder.attention_heads.Q"] for one in (before, result)
        ]
        assert not torch.equal(*moved), "the attention over time learns"

    def test_any_network_learns_from_one_date_of_them(self, series: Path, tmp_path: Path) -> None:
        result = run_training(series, tmp_path / "run", s2_offset=None)
        assert result.patches == 2
        assert "dates" not in load_model(str(result.output), "cpu").card.training

    def test_patches_of_one_date_are_refused(self, tmp_path: Path) -> None:
        data = write_patches(tmp_path / "data")
        text = r"--dates 3 for patches of one date, such as p0; wanted time series named as in"
        with pytest.raises(InputError, match=text):
            run_training(data, tmp_path / "run", "uncrtaints", **self.OPTIONS)
        assert not (tmp_path / "run").exists()

    def test_a_network_of_one_date_is_refused(self, series: Path, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="--dates 2 for network dsen2_cr of one date"):
            run_training(series, tmp_path / "run", dates=2)
