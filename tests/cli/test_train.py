"""The command line of `cloudfree train`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cloudfree.cli.train import command
from cloudfree.commands.train import run as train
from cloudfree.commands.train.options import TrainOptions
from cloudfree.training.loss_registry import OBJECTIVES
from cloudfree.training.settings import OPTIMISERS, SCHEDULES
from tests.factories.training_runs import small, write_patches

# Values that differ from all defaults, and from each other where they can.
FLAGS: dict[str, tuple[str, Any]] = {
    "preset": ("--preset=paper", "paper"),
    "ablation": ("--ablation=concat", "concat"),
    "resume": ("--resume", True),
    "allow_remote": ("--allow-remote", True),
    "overwrite": ("--overwrite", True),
    "init_from": ("--init-from=other", "other"),
    "split": ("--split=val", "val"),
    "hold_out": ("--hold-out=north", ("north",)),
    "patch": ("--patch=300", 300),
    "s2_offset": ("--s2-offset=-1000", -1000.0),
    "network_setting": ("--network-setting=a=1", ("a=1",)),
    "loss": ("--loss=l2", "l2"),
    "perceptual_weights": ("--perceptual-weights=vgg.pth", "vgg.pth"),
    "optimiser": ("--optimiser=sgd", "sgd"),
    "learning_rate": ("--learning-rate=0.3", 0.3),
    "schedule": ("--schedule=step", "step"),
    "batch_size": ("--batch-size=7", 7),
    "crop": ("--crop=48", 48),
    "dates": ("--dates=2", 2),
    "augment": ("--no-augment", False),
    "simulate_clouds": ("--simulate-clouds=0.6", 0.6),
    "steps": ("--steps=11", 11),
    "epochs": ("--epochs=1.5", 1.5),
    "clip_norm": ("--clip-norm=0.7", 0.7),
    "ema_decay": ("--ema-decay=0.95", 0.95),
    "precision": ("--precision=bf16", "bf16"),
    "seed": ("--seed=13", 13),
    "checkpoint_every": ("--checkpoint-every=17", 17),
    "sample_every": ("--sample-every=19", 19),
    "device": ("--device=cuda:1", "cuda:1"),
    "num_workers": ("--num-workers=5", 5),
}


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_every_flag_arrives_under_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[TrainOptions] = []
    result = train.TrainResult(tmp_path, "", 0, 0, 0.0, 0.0, 0.0, ())
    monkeypatch.setattr(train, "run", lambda options, _: seen.append(options) or result)
    names = ("places.toml", "own.py", "settings.toml")
    places, plugin, settings = (tmp_path / name for name in names)
    for file in (places, plugin, settings):
        file.touch()
    ran = invoke("net", "--data", tmp_path, "-o", tmp_path / "run", "--groups", places,
                 "--plugin", plugin, "--settings", settings,
                 *(flag for flag, _ in FLAGS.values()))  # fmt: skip
    assert ran.exit_code == 0, ran.output
    wanted = {name: value for name, (_, value) in FLAGS.items()}
    given = {"network": "net", "data": (tmp_path,), "output": tmp_path / "run", "groups": places}
    given |= {"plugin": (plugin,), "settings": settings}
    assert dataclasses.asdict(seen[0]) == {**wanted, **given}


def test_the_choices_are_those_there_are() -> None:
    choices = {option.name: getattr(option.type, "choices", None) for option in command.params}
    assert tuple(choices["optimiser"]) == OPTIMISERS
    assert tuple(choices["schedule"]) == SCHEDULES
    (loss,) = (option for option in command.params if option.name == "loss")
    listed = loss.help.split(": ")[1].rstrip(".").split(", ")
    assert listed == list(OBJECTIVES)


def test_ablations_are_listed_without_network_and_data() -> None:
    ran = invoke("--list-ablations")
    assert ran.exit_code == 0
    assert "glf_cr           without-sar " in ran.stdout
    assert invoke("glf_cr", "--list-ablations").stdout == ran.stdout


def test_a_run_is_printed_as_json(tmp_path: Path) -> None:
    data = write_patches(tmp_path / "data", count=1, side=32)
    settings = [word for pair in small("dsen2_cr") for word in ("--network-setting", pair)]
    ran = invoke("dsen2_cr", "--data", data, "-o", tmp_path / "run", "--steps", 1, "--crop", 16,
                 "--batch-size", 1, "--device", "cpu", "--s2-offset", 0, "--json", "-q",
                 *settings)  # fmt: skip
    assert ran.exit_code == 0, ran.output
    printed = json.loads(ran.stdout)
    assert printed["steps"] == 1
    assert printed["first_loss"] == printed["last_loss"] > 0


def test_a_network_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    ran = invoke("unet", "--data", tmp_path, "-o", tmp_path / "run")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("Error: no network 'unet'; wanted one of cloudfree_s, glf_cr")
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()
