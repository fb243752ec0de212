"""Cloud cover, and test sets with as many patches of each bin of it."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask.published_cover import published_clouds, published_shadows
from cloudfree.commands.evaluate.cover import balanced, cover_of, draw
from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.evaluate.patch import classes_of
from cloudfree.core.choices import PUBLISHED_MASK
from cloudfree.core.mask_classes import MaskClass
from cloudfree.core.terminal import silent
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Patch, read_patch
from cloudfree.datasets.split_choice import ChosenSplit, choose_samples
from cloudfree.errors import InputError
from cloudfree.metrics.cover_bins import cover_bin
from tests.factories.sample_folders import TEST, write_patch, write_triplet

COVERS = {f"p{number}": float(cover) for number, cover in enumerate(np.linspace(0, 1, 101))}


@given(seed=st.integers(0, 9), bins=st.integers(1, 6), per_bin=st.integers(1, 12))
def test_each_bin_gives_as_many_patches(seed: int, bins: int, per_bin: int) -> None:
    drawn = draw(COVERS, per_bin, bins, seed)
    counts = Counter(cover_bin(COVERS[name], bins) for name in drawn)
    assert set(counts.values()) == {per_bin}
    assert drawn == draw(dict(reversed(COVERS.items())), per_bin, bins, seed)


def test_another_seed_draws_others_and_a_larger_set_holds_the_smaller() -> None:
    assert draw(COVERS, 5, 5, 1) != draw(COVERS, 5, 5, 2)
    assert draw(COVERS, 5, 5, 1) < draw(COVERS, 6, 5, 1)


@pytest.fixture(scope="module")
def patch(tmp_path_factory: pytest.TempPathFactory) -> Patch:
    folder = tmp_path_factory.mktemp("patch")
    write_triplet(folder, "a", side=64)
    return read_patch(list_samples(folder, offset_dn=0.0).samples[0])


def test_cover_is_that_of_clouds_with_or_without_shadows(patch: Patch) -> None:
    classes = classes_of(patch, PUBLISHED_MASK)
    clouds, shadows = ((classes == one).mean() for one in (MaskClass.CLOUD, MaskClass.SHADOW))
    assert cover_of(patch, "cloud", published=False) == clouds
    assert cover_of(patch, "cloud-and-shadow", published=False) == clouds + shadows


def test_in_published_protocols_it_is_that_of_the_published_detector(patch: Patch) -> None:
    planes = dict(zip(patch.bands, patch.cloudy, strict=True))
    clouds, shadows = published_clouds(planes), published_shadows(planes)
    assert cover_of(patch, "cloud", published=True) == clouds.mean()
    assert cover_of(patch, "cloud-and-shadow", published=True) == (clouds | shadows).mean()
    with pytest.raises(InputError, match="no band B11 in a; wanted the bands that the published"):
        cover_of(replace(patch, bands=patch.bands[:11]), "cloud", published=True)


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> ChosenSplit:
    """Six patches whose cloud covers a fifth of them."""
    folder = tmp_path_factory.mktemp("data")
    for number in range(6):
        write_patch(folder, TEST, f"p{number}", seed=number)
    return choose_samples(list_samples(folder), "test", None, "test")


def _options(**own: Any) -> EvaluateOptions:
    return EvaluateOptions(Path("data"), ("m",), **own)


def test_the_draw_is_a_split_file(
    split: ChosenSplit, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        drawn = balanced(split, 2, _options(bins=2, seed=3), silent)
    assert drawn.name == "test, 2 patches for each of 2 bins of cover, seed 3"
    assert "0 patches of 50-100 % cover instead of 2" in caplog.text
    assert len(drawn.samples) == 2
    assert drawn.file is not None
    first, header, *rows = drawn.file.splitlines()
    assert first.endswith("; cover is that of clouds and shadows of the whole patch by the "
                          "published score and own shadows.")  # fmt: skip
    assert header == "name,split,cover"
    assert all(0.1 < float(row.split(",")[2]) < 0.4 for row in rows)
    written = tmp_path / "split.csv"
    written.write_text(drawn.file)
    listing = list_samples(split.samples[0].clear.parents[2])
    assert choose_samples(listing, str(written), None, "test").samples == drawn.samples


def test_patches_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    for number in range(2):
        paths = write_patch(tmp_path, TEST, f"p{number}")
    paths["s2_cloudy"].write_text("broken")
    found = choose_samples(list_samples(tmp_path), "test", None, "test")
    drawn = balanced(found, 5, _options(), silent)
    assert [sample.name for sample in drawn.samples] == [f"{TEST}_p0"]
    (tmp_path / "ROIs1158_spring_s2_cloudy/s2_cloudy_106/ROIs1158_spring_s2_cloudy_106_p0.tif"
     ).write_text("broken")  # fmt: skip
    with pytest.raises(InputError, match="the cloud cover of none of 2 patches can be found"):
        balanced(found, 5, _options(), silent)
