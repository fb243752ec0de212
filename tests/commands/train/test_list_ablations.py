"""The table of ablations."""

from cloudfree.commands.train.list_ablations import HEADS, ablation_table
from cloudfree.training.ablations import ablations


def test_every_ablation_has_a_line_with_what_it_leaves_out_and_its_source() -> None:
    head, *lines = ablation_table().splitlines()
    assert head.split() == " ".join(HEADS).split()
    for line, one in zip(lines, ablations(), strict=True):
        assert line.split()[:2] == [one.network, one.name]
        assert one.without in line and line.endswith(one.source)
