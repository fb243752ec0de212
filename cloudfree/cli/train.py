"""`cloudfree train`: train a network on a data set."""

from __future__ import annotations

from typing import Any

import click

from cloudfree.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    SPLITS,
    NumberRange,
    RenamingCommand,
    cloudfree_command,
    option_from,
    overwrite_option,
    plugin_option,
    reach_option,
)
from cloudfree.commands.train.options import TrainOptions

STEPS = click.IntRange(1)


def _list_ablations(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the table of ablations and leave: it needs none of the other options."""
    if not wanted:
        return
    from cloudfree.commands.train.list_ablations import ablation_table

    click.echo(ablation_table())
    ctx.exit()


@click.command(
    cls=RenamingCommand, epilog="Example: cloudfree train ib_hfn --data SEN12MSCR -o runs/ib_hfn"
)
@click.argument("network", metavar="NETWORK")
@option_from(
    TrainOptions,
    "data",
    type=EXISTING_FILE,
    metavar="DIR",
    help="Folder with the data set; repeatable.",
)
@option_from(
    TrainOptions,
    "output",
    "-o",
    type=NEW_FILE,
    metavar="RUN",
    help="Folder of the run; `remove --model RUN` takes it.",
)
@option_from(
    TrainOptions,
    "preset",
    metavar="NAME",
    help="Preset of the network, such as `default` of cloudfree_s.  [default: the first one]",
)
@option_from(
    TrainOptions,
    "ablation",
    metavar="NAME",
    help="Leave out a part of the network or its loss, as the ablations of its paper do.",
)
@click.option(
    "--list-ablations",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_ablations,
    help="List the ablations of all networks, with their source, and exit.",
)
@option_from(
    TrainOptions,
    "settings",
    type=EXISTING_FILE,
    metavar="FILE.toml",
    help="Settings as RUN/settings.toml has them, such as bands; options go before.",
)
@option_from(
    TrainOptions,
    "resume",
    help="Resume from the last checkpoint of RUN; more --steps or --epochs extend it.",
)
@option_from(
    TrainOptions,
    "init_from",
    metavar="MODEL",
    old_names=["--start"],
    help="Initialise with the weights of a model.",
)
@option_from(
    TrainOptions,
    "split",
    metavar=SPLITS,
    help="Part of the split of SEN12MS-CR(-TS), or a split whose training part is learned from: by "
    "the name of a protocol, or as CSV (name, split).  [default: train there, all elsewhere]",
)
@option_from(
    TrainOptions,
    "hold_out",
    metavar="NAME",
    help="Place, season or patch to hold out and to score after each epoch, or days "
    "(2018-06-01/2018-08-31); repeatable.",
)
@option_from(
    TrainOptions,
    "groups",
    type=EXISTING_FILE,
    old_names=["--places"],
    help="TOML or CSV file that groups the patches by place.",
)
@option_from(
    TrainOptions,
    "patch",
    type=STEPS,
    metavar="PX",
    help="Side of the patches that scenes are cut into.",
)
@option_from(
    TrainOptions,
    "network_setting",
    metavar="NAME=VALUE",
    help="Argument of the network, such as channels=32; repeatable.",
)
@option_from(
    TrainOptions,
    "loss",
    help="Loss: l1, l2, charbonnier, l1-structure, l2-structure, restoration, recalled-colour, "
    "cloud-aware, cloud-aware-published, carl, joint, gnll, mgnll, mgnll-published, gan-l1, "
    "pix2pix, gan-attention, simulation-fusion.",
)
@option_from(
    TrainOptions,
    "perceptual_weights",
    metavar="FILE",
    help="Weights of VGG-16 (vgg16-397923af.pth), for the perceptual term of simulation-fusion.",
)
@option_from(TrainOptions, "optimiser", help="Optimizer.")
@option_from(
    TrainOptions,
    "learning_rate",
    type=NumberRange(0, min_open=True),
    metavar="RATE",
    help="Initial learning rate.",
)
@option_from(TrainOptions, "schedule", help="Learning rate schedule.")
@option_from(
    TrainOptions,
    "batch_size",
    type=STEPS,
    metavar="N",
    old_names=["--batch"],
    help="Patches per batch on one device.",
)
@option_from(TrainOptions, "crop", type=STEPS, metavar="PX", help="Side of the crops of a patch.")
@option_from(
    TrainOptions,
    "dates",
    type=STEPS,
    metavar="N",
    help="Dates of a time series that a network of several dates is shown.",
)
@option_from(TrainOptions, "augment", help="Flip and rotate patches.")
@option_from(
    TrainOptions,
    "simulate_clouds",
    type=NumberRange(0, 1),
    metavar="FRACTION",
    help="Fraction of the patches with simulated clouds instead of their own.",
)
@option_from(TrainOptions, "steps", type=STEPS, metavar="N", help="Training steps.")
@option_from(
    TrainOptions,
    "epochs",
    type=NumberRange(0, min_open=True),
    metavar="N",
    help="Training epochs, instead of steps.",
)
@option_from(
    TrainOptions,
    "clip_norm",
    type=NumberRange(0),
    metavar="NORM",
    help="Maximum norm of the gradient; 0 for no clipping.",
)
@option_from(
    TrainOptions,
    "ema_decay",
    type=NumberRange(0, 1, max_open=True),
    metavar="DECAY",
    old_names=["--average"],
    help="Decay of the exponential moving average of the weights; 0 for none.",
)
@option_from(TrainOptions, "precision", help="Arithmetic of the network; the loss is always fp32.")
@option_from(TrainOptions, "seed", type=click.IntRange(0), help="Random seed.")
@option_from(
    TrainOptions,
    "checkpoint_every",
    type=STEPS,
    metavar="N",
    old_names=["--checkpoint-steps"],
    help="Steps between checkpoints.",
)
@option_from(
    TrainOptions,
    "sample_every",
    type=STEPS,
    metavar="N",
    old_names=["--picture-steps"],
    help="Steps between sample images.  [default: each epoch, at least 100 steps]",
)
@option_from(TrainOptions, "device", metavar="auto|cpu|cuda|cuda:N", help="Device to train on.")
@option_from(
    TrainOptions,
    "num_workers",
    type=STEPS,
    metavar="N",
    old_names=["--readers"],
    help="Threads that read patches.",
)
@plugin_option
@overwrite_option
@option_from(
    TrainOptions,
    "s2_offset",
    metavar="DN",
    help="Added to digital numbers of all files: -1000 since baseline 04.00.",
)
@reach_option
@cloudfree_command
def command(progress: Any, **options: Any) -> Any:
    """Train a network of `cloudfree models list` as its paper does, or as the options say.

    The data set is SEN12MS-CR, SEN12MS-CR-TS, or a folder of NAME_s1.tif, NAME_s2_cloudy.tif and
    NAME_s2_clear.tif. The preset of the network gives the options left out; all are written to
    RUN/settings.toml. On several GPUs or hosts: torchrun --nproc-per-node N -m cloudfree train ...
    """
    from cloudfree.commands.train.run import run

    return run(TrainOptions(**options), progress)
