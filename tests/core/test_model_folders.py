"""Where models are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.core.model_folders import model_folders


def test_the_folder_of_the_user_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFREE_MODELS", str(tmp_path))
    assert model_folders()[0] == tmp_path
    assert len(model_folders()) > 1


def test_a_folder_that_is_not_there_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFREE_MODELS", str(tmp_path / "none"))
    assert tmp_path / "none" not in model_folders()
