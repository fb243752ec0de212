"""Tags of a result name what it was made of."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.result_tags import result_tags
from cloudfree.core.acquisition import UNKNOWN
from cloudfree.coregistration.measure import NOT_USED
from cloudfree.raster.parts import Parts
from cloudfree.raster.provenance import Provenance
from cloudfree.raster.used_reference import UsedReference


def _opened() -> Any:
    scene = SimpleNamespace(mask=None, optical=SimpleNamespace(acquisition=UNKNOWN))
    return SimpleNamespace(scene=scene, sar=None, measurement=NOT_USED)


def test_a_result_without_a_model_names_none() -> None:
    options = RemoveOptions(s2=Path("in/l1c.tif"), output=Path("out/result.tif"))
    parts = Parts(0.25, 0.04, 0.05, 0.03)
    used = UsedReference(path=PurePosixPath("../in/earlier.tif"))
    tags = result_tags(options, _opened(), None, None, parts, (used,))
    found = Provenance.from_tags(tags, 10, 10)
    assert (found.model, found.s1, found.mask) == (None, None, None)
    assert found.s2 == PurePosixPath("../in/l1c.tif")
    assert found.filled == PurePosixPath("result_filled.tif")
    assert found.references == (used,)
    assert found.parts == parts
