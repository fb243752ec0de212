"""Patches are scored one by one, or skipped with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cloudfree.commands.evaluate.scoring import CloudyPatch, EvaluatedPatch, Scoring
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.datasets.folder import list_samples
from cloudfree.datasets.patch import Sample, Skipped
from cloudfree.inference.model import Model
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.metrics.protocol import GLF_CR, NATIVE, UNCRTAINTS, Protocol
from tests.commands.evaluate.test_run import VARIANCE, Known
from tests.factories.readiness import OneAtATime, Paired
from tests.factories.sample_folders import write_triplet


def _scoring(protocol: Protocol = NATIVE, variance: bool = False) -> Scoring:
    model = Model(read_card(find_model(DEFAULT_MODEL)), Known(variance))
    return Scoring({"m": model}, protocol, OPTICAL_BANDS)


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    write_triplet(tmp_path, "a", side=64)
    (found,) = list_samples(tmp_path, offset_dn=0.0).samples
    return found


def test_a_patch_is_prepared_filled_and_collected(sample: Sample) -> None:
    scoring = _scoring()
    found = scoring.evaluate((sample, scoring.prepare(sample)))
    assert isinstance(found, EvaluatedPatch)
    scoring.add(sample, found)
    (patch,) = scoring.patches
    assert (patch.name, patch.place) == (sample.name, sample.place)
    assert list(patch.figures) == ["do nothing", "m, raw", "m, written"]
    assert 0.1 < patch.cover < patch.filled < 0.6
    assert scoring.skipped == []


def test_a_protocol_sees_its_part_of_the_patch(tmp_path: Path) -> None:
    write_triplet(tmp_path, "a", side=160)
    (sample,) = list_samples(tmp_path, offset_dn=0.0).samples
    cloudy = _scoring(GLF_CR).prepare(sample)
    assert isinstance(cloudy, CloudyPatch)
    assert cloudy.patch.cloudy.shape == (13, 128, 128)
    assert cloudy.clouds.dilated.shape == (128, 128)


def test_cover_is_that_of_the_whole_patch_in_every_protocol(tmp_path: Path) -> None:
    """GLF-CR scores the middle of a patch, and groups patches by the cover of all of it."""
    write_triplet(tmp_path, "a", side=160)
    (sample,) = list_samples(tmp_path, offset_dn=0.0).samples
    covers = []
    for protocol in (UNCRTAINTS, GLF_CR):
        model = Model(read_card(find_model(DEFAULT_MODEL)), Known())
        scoring = Scoring({"m": model}, protocol, OPTICAL_BANDS, cover="cloud")
        scoring.add(sample, scoring.evaluate((sample, scoring.prepare(sample))))
        covers.append(scoring.patches[0].cover)
    assert covers[0] == covers[1]
    assert covers[0] < 0.25 < scoring.patches[0].filled, "the cloud is in the middle"


def test_a_damaged_patch_is_skipped_with_the_reason(sample: Sample) -> None:
    sample.clear.write_bytes(sample.clear.read_bytes()[:2500])
    scoring = _scoring()
    skipped = scoring.prepare(sample)
    assert isinstance(skipped, Skipped)
    assert (skipped.name, bool(skipped.reason)) == ("a", True)
    scoring.add(sample, scoring.evaluate((sample, skipped)))
    assert (scoring.skipped, scoring.patches) == ([skipped], [])


def test_a_patch_without_the_radar_that_a_model_needs_is_skipped(sample: Sample) -> None:
    skipped = _scoring().prepare(replace(sample, sar=None))
    assert skipped == Skipped("a", f"no Sentinel-1, which model {DEFAULT_MODEL} needs")


def test_a_patch_without_data_is_skipped(sample: Sample) -> None:
    scoring = _scoring()
    cloudy = scoring.prepare(sample)
    assert isinstance(cloudy, CloudyPatch)
    empty = replace(cloudy.patch, clear=np.full_like(cloudy.patch.clear, np.nan))
    found = scoring.evaluate((sample, replace(cloudy, patch=empty)))
    assert found == Skipped("a", "no pixel with data in all images")


def test_variances_are_calibrated_only_if_there_are_any(sample: Sample) -> None:
    for variance in (False, True):
        scoring = _scoring(variance=variance)
        scoring.add(sample, scoring.evaluate((sample, scoring.prepare(sample))))
        assert list(scoring.calibration()) == (["m"] if variance else [])
    one = scoring.calibration()["m"]
    assert 0 < one.values <= 2 * 2048
    assert one.uce < VARIANCE**0.5
    assert scoring.error_models() == {}


def test_as_many_patches_at_once_as_suit_the_device() -> None:
    card = read_card(find_model(DEFAULT_MODEL))
    models = {"one": Model(card, Known()), "two": Model(card, Paired())}
    with Paired().parallel_batches() as pair, OneAtATime().parallel_batches() as one:
        assert pair > one
    with Scoring(models, NATIVE, OPTICAL_BANDS).parallel_batches() as count:
        assert count == pair
