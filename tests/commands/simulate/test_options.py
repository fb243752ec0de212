"""Options that cannot be simulated are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cloudfree.commands.simulate.options import SimulateOptions
from cloudfree.commands.simulate.run import run
from cloudfree.core.terminal import silent
from cloudfree.errors import InputError, OutputError


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    with pytest.raises(OutputError, match=r"taken cannot be created .*another OUTDIR"):
        run(SimulateOptions(taken, size=64), silent)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"size": 63}, r"^a scene of 63 pixels; wanted at least 64 .*--size$"),
        ({"cloud_cover": 1.2}, r"^a cloud cover of 1\.2; wanted .* 0 and 1; .*--cloud-cover$"),
        ({"misregistration": (0.0, -17.0)}, r"^a misregistration of 0, -17 .* 16 pixels each way;"),
        ({"dates": 15}, r"^15 earlier dates; wanted 0 to 14; choose another --dates$"),
        ({"dates": -1}, r"^-1 earlier dates; wanted 0 to 14;"),
        ({"misregistration": (0.0, float("nan"))}, r"^a misregistration of 0, nan "),
    ],
)
def test_what_cannot_be_simulated_is_refused(tmp_path: Path, wrong: dict, text: str) -> None:
    options = replace(SimulateOptions(tmp_path / "out", size=64), **wrong)
    with pytest.raises(InputError, match=text):
        run(options, silent)
    assert not (tmp_path / "out").exists()
