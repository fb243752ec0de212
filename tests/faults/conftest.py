"""Folders before and after a run, made once for all faults."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.faults.kills import Template, template
from tests.faults.runs import COMMANDS

Templates = Callable[..., Template]


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The template of a command, with results of an earlier run unless told otherwise."""

    @cache
    def made(name: str, replaces: bool = True) -> Template:
        return template(tmp_path_factory.mktemp(name), COMMANDS[name], replaces)

    return made
