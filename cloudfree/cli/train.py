"""`cloudfree train`: a network learns from a data set, and becomes a model."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    NumberRange,
    cloudfree_command,
)

STEPS = click.IntRange(1)


@click.command(epilog="Example: cloudfree train ib_hfn --data SEN12MSCR -o runs/ib_hfn")
@click.argument("network", metavar="NETWORK")
@click.option("--data", type=EXISTING_FILE, required=True, help="Folder with the data set.")
@click.option(
    "-o",
    "--output",
    type=NEW_FILE,
    required=True,
    metavar="RUN",
    help="Folder of the run; `remove --model RUN` takes it.",
)
@click.option("--resume", is_flag=True, help="Go on after the last checkpoint of RUN.")
@click.option("--start", metavar="MODEL", help="Begin with the weights of a model.")
@click.option(
    "--split",
    type=click.Choice(["test", "val", "train", "all"]),
    help="Part of SEN12MS-CR.  [default: train there, all elsewhere]",
)
@click.option(
    "--hold-out",
    multiple=True,
    metavar="NAME",
    help="Place or patch to leave out and to score after each epoch; repeatable.",
)
@click.option(
    "--places", type=EXISTING_FILE, help="TOML or CSV that tells which patches show one place."
)
@click.option(
    "--patch",
    type=STEPS,
    default=256,
    show_default=True,
    metavar="PX",
    help="Side of the patches that scenes are cut into.",
)
@click.option(
    "--network-setting",
    multiple=True,
    metavar="NAME=VALUE",
    help="Argument of the network, such as channels=32; repeatable.",
)
@click.option(
    "--loss",
    help="What to learn from: l1, l2, charbonnier, l1-structure, restoration, cloud-aware, "
    "cloud-aware-published, carl, joint, gnll, mgnll, mgnll-published, gan-l1, pix2pix, "
    "gan-attention, simulation-fusion.",
)
@click.option(
    "--perceptual-weights",
    metavar="FILE",
    help="Weights of VGG-16 (vgg16-397923af.pth), for the perceptual term of simulation-fusion.",
)
@click.option(
    "--optimiser",
    type=click.Choice(["adam", "adamw", "nadam", "sgd"]),
    help="How weights follow gradients.",
)
@click.option(
    "--learning-rate",
    type=NumberRange(0, min_open=True),
    metavar="RATE",
    help="At the beginning.",
)
@click.option(
    "--schedule",
    type=click.Choice(["constant", "step", "cosine", "linear"]),
    help="How the learning rate falls.",
)
@click.option("--batch", type=STEPS, metavar="N", help="Patches of a step on one device.")
@click.option("--crop", type=STEPS, metavar="PX", help="Side of what is cut from a patch.")
@click.option("--augment/--no-augment", default=None, help="Flip and turn patches.")
@click.option(
    "--simulate-clouds",
    type=NumberRange(0, 1),
    metavar="SHARE",
    help="Share of the patches that are seen under simulated clouds instead of their own.",
)
@click.option("--steps", type=STEPS, metavar="N", help="Length of the run.")
@click.option(
    "--epochs",
    type=NumberRange(0, min_open=True),
    metavar="N",
    help="The same, in rounds through the data.",
)
@click.option(
    "--clip-norm", type=NumberRange(0), metavar="NORM", help="Longest gradient; 0 for any."
)
@click.option(
    "--average",
    type=NumberRange(0, 1, max_open=True),
    metavar="DECAY",
    help="Moving average of the weights, which is kept then; 0 for none.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    help="Arithmetic of the network; the loss is always fp32.",
)
@click.option("--seed", type=click.IntRange(0), help="Another seed, another order and beginning.")
@click.option("--checkpoint-steps", type=STEPS, metavar="N", help="How often to save.")
@click.option(
    "--picture-steps",
    type=STEPS,
    metavar="N",
    help="How often to show samples.  [default: each epoch, at least 100 steps]",
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="auto|cpu|cuda|cuda:N",
    help="Where to train.",
)
@click.option(
    "--readers",
    type=STEPS,
    default=2,
    show_default=True,
    metavar="N",
    help="Threads that read patches.",
)
@click.option("--overwrite", is_flag=True, help="Replace a run that exists.")
@click.option(
    "--s2-offset",
    type=float,
    metavar="DN",
    help="Added to digital numbers of all files: -1000 since baseline 04.00.",
)
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:  # fmt: skip
    """Train a network of `cloudfree models list` as its paper does, or as the options say.

    The data set is SEN12MS-CR, or a folder of NAME_s1.tif, NAME_s2_cloudy.tif and
    NAME_s2_clear.tif. What is not given comes from the preset of the network and is written to
    RUN/settings.toml. On several GPUs or hosts: torchrun --nproc-per-node N -m cloudfree train ...
    """
    from cloudfree.commands.train import run as train

    return train.run(train.TrainOptions(**options), progress)
