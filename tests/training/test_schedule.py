"""Learning rates as the papers have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.training.schedule import learning_rate
from cloudfree.training.settings import SCHEDULES, choose_settings


def test_glf_cr_halves_its_rate_every_five_epochs() -> None:
    settings = choose_settings("glf_cr", {})
    rates = [learning_rate(settings, epoch * 10, 300, 10) for epoch in (0, 4, 5, 9, 10, 29)]
    assert rates == [1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5, 1e-4 / 32]


def test_sg_bafm_loses_a_fifth_each_epoch() -> None:
    settings = choose_settings("sg_bafm_dfin", {})
    assert learning_rate(settings, 30, 100, 10) == pytest.approx(1e-3 * 0.8**3)


def test_pix2pix_stays_for_half_of_the_run_and_falls_to_nothing() -> None:
    settings = choose_settings("sar2opt", {})
    rates = [learning_rate(settings, step, 200, 1) for step in (0, 100, 150, 200)]
    assert rates == pytest.approx([2e-4, 2e-4, 1e-4, 0.0])


def test_ib_hfn_follows_a_cosine_to_a_millionth() -> None:
    settings = choose_settings("ib_hfn", {})
    rates = [learning_rate(settings, step, 100, 1) for step in (0, 50, 100)]
    assert rates == pytest.approx([2e-4, (2e-4 + 1e-6) / 2, 1e-6])


@given(
    schedule=st.sampled_from(SCHEDULES),
    steps=st.integers(1, 10_000),
    warmup=st.integers(0, 100),
    share=st.floats(0, 1),
)
def test_no_rate_is_above_the_first_or_below_the_last(
    schedule: str, steps: int, warmup: int, share: float
) -> None:
    changes = {"schedule": schedule, "warmup_steps": warmup, "learning_rate": 0.1, "gamma": 0.9}
    settings = choose_settings("dsen2_cr", changes)
    rate = learning_rate(settings, round(share * steps), steps, 7.0)
    assert 0 <= rate <= 0.1
