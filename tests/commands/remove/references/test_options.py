"""A removal with references has the defaults of both."""

from __future__ import annotations

from cloudfree.commands.options import ReferenceOptions
from cloudfree.commands.remove.options import RemovalOptions
from cloudfree.commands.remove.references.options import ReferencedRemoval


def test_the_defaults_are_those_of_a_removal_and_of_references() -> None:
    both = vars(ReferencedRemoval())
    assert both == {**vars(RemovalOptions()), **vars(ReferenceOptions())}
