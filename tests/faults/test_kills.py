"""SIGKILL at random moments: the old result or the new one, no litter, a next run that succeeds."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.conftest import Templates
from tests.faults.kills import Template, judged, kills
from tests.faults.runs import COMMANDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

SEED = 20261125
# Of the long form, for each command and kind of run.
KILLS = int(os.environ.get("CLOUDFREE_KILLS", "100"))


def _killed(found: Template, tmp_path: Path, number: int) -> Counter[str]:
    assert found.after != found.before
    counts = Counter[str]()
    for share, work in kills(found, tmp_path / "work", number, SEED):
        try:
            counts += judged(found, work)
        except AssertionError as error:
            error.add_note(f"killed after {share:.4f} of {found.seconds:.2f} s")
            raise
    return counts


@pytest.mark.parametrize("replaces", [False, True], ids=["new", "overwrite"])
@pytest.mark.parametrize("name", ["mask", "coregister", "remove"])
def test_a_killed_command(templates: Templates, tmp_path: Path, name: str, replaces: bool) -> None:
    assert _killed(templates(name, replaces), tmp_path, 2)["kills"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("replaces", [False, True], ids=["new", "overwrite"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_killed_at_many_moments(
    templates: Templates,
    tmp_path: Path,
    name: str,
    replaces: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    counts = _killed(templates(name, replaces), tmp_path, KILLS)
    with capsys.disabled():
        print(f"\n{name} {'overwrite' if replaces else 'new'}: {dict(counts)}")
    assert counts["kills"] == KILLS
