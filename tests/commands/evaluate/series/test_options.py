"""Options of `cloudfree evaluate --series`."""

from __future__ import annotations

from dataclasses import fields

from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.evaluate.series.options import SeriesOptions


def test_options_of_both_kinds_of_evaluation_have_the_same_defaults() -> None:
    own, other = ({one.name: one.default for one in fields(kind)}
                  for kind in (SeriesOptions, EvaluateOptions))  # fmt: skip
    assert own.keys() - other.keys() == {"series"}
    assert {name: other[name] for name in own if name != "series"} == {
        name: default for name, default in own.items() if name != "series"
    }
