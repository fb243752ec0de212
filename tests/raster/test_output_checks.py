"""What is refused before any work is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.errors import OutputError
from cloudfree.raster.output_checks import check_output_names, require_absent, require_writable
from tests.factories.damage import closed_folder


def test_an_output_that_exists_or_has_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.touch()
    with pytest.raises(OutputError, match=r"exists already; wanted a new name; add --overwrite"):
        require_absent(path, overwrite=False)
    require_absent(path, overwrite=True)
    with pytest.raises(OutputError, match="is a folder; wanted the name of a file"):
        require_absent(tmp_path, overwrite=True)
    with pytest.raises(OutputError, match="no folder"):
        require_absent(tmp_path / "none" / "a.tif", overwrite=True)
    assert list(tmp_path.iterdir()) == [path]


def test_an_output_in_a_folder_that_is_closed(tmp_path: Path) -> None:
    closed = closed_folder(tmp_path)
    with pytest.raises(OutputError, match=r"a\.tif cannot be written .*may be written to"):
        require_absent(closed / "a.tif", overwrite=True)
    with pytest.raises(OutputError, match=r"index\.html cannot be written"):
        require_writable(closed / "new" / "newer" / "index.html")
    require_writable(tmp_path / "new" / "newer" / "index.html")
    assert not (tmp_path / "new").exists()


def test_outputs_with_the_name_of_an_input_or_of_each_other(tmp_path: Path) -> None:
    a, b = tmp_path / "a.tif", tmp_path / "b.tif"
    check_output_names([a], [b])
    for outputs, inputs in (([a], [a]), ([a, a], [b]), ([tmp_path / "x" / ".." / "b.tif"], [b])):
        with pytest.raises(OutputError, match=r"\.tif is an input or another output; wanted a"):
            check_output_names(outputs, inputs)
