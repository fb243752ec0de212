"""Pictures of chosen patches."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.commands.evaluate.scoring import Scoring
from cloudfree.commands.evaluate.shown import check_shown, draw_shown
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Sample
from cloudfree.errors import InputError
from cloudfree.inference.model import Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.metrics.protocol import NATIVE
from tests.commands.evaluate.test_run import Known
from tests.factories.sample_folders import SIDE, write_triplet


@pytest.fixture
def samples(tmp_path: Path) -> tuple[Sample, ...]:
    for name in ("a", "b c"):
        write_triplet(tmp_path / "sub", name)
    return list_samples(tmp_path, offset_dn=0.0).samples


def _scoring() -> Scoring:
    model = Model(read_card(find_model(DEFAULT_MODEL)), Known())
    return Scoring({"m": model, "n": model}, NATIVE, OPTICAL_BANDS)


def test_each_patch_has_its_images_and_those_of_every_model(samples: tuple[Sample, ...]) -> None:
    shown = draw_shown(_scoring(), samples)
    assert list(shown.files) == ["sub/a", "sub/b c"]
    assert set(shown.files["sub/b c"]) == {
        "cloudy", "radar", "truth", "m, raw", "m, written", "n, raw", "n, written",
    }  # fmt: skip
    assert shown.files["sub/b c"]["m, raw"] == "shown/2_sub_b_c_m_raw.png"
    assert len(shown.pixels) == 14
    assert {pixels.shape for pixels in shown.pixels.values()} == {(SIDE, SIDE, 4)}


def test_a_patch_that_cannot_be_read_has_no_pictures(samples: tuple[Sample, ...]) -> None:
    samples[0].clear.write_text("broken")
    assert list(draw_shown(_scoring(), samples).files) == ["sub/b c"]


def test_a_patch_that_is_not_scored_is_refused(samples: tuple[Sample, ...]) -> None:
    check_shown(["sub/a"], samples)
    with pytest.raises(InputError) as error:
        check_shown(["a"], samples)
    assert str(error.value) == (
        "no patch a among the 2 that are scored; wanted names such as sub/a; correct --show"
    )
