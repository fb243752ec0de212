"""Opening ONNX files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.core.onnx_session import open_session
from cloudfree.errors import ModelError


def test_a_file_that_is_no_network_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "detector.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match=r"detector\.onnx cannot be loaded") as refusal:
        open_session(path, hint="install it anew")
    assert "install it anew" in str(refusal.value)
