"""The joint objective of IB-HFN: its terms, its schedule, its network."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cloudfree.losses.ib_hfn_loss import (
    contrastive_sharpness,
    gate_loss,
    joint_objective,
    terms,
    weights,
)
from cloudfree.losses.pixel import charbonnier, spectral_angle_loss
from cloudfree.losses.structural_similarity import similarity_loss
from cloudfree.networks.ib_hfn import IbHfn
from tests.factories.images import cloud_mask, image

TARGET, CLOUDY = image(1), image(2)


def outputs() -> dict[str, Tensor]:
    """As a network gives them, with the bottleneck at rest."""
    return {
        "image": image(3),
        "gate": torch.full((2, 1, 4, 5), 0.75, dtype=torch.float64),
        "mu": torch.zeros(2, 6, 4, 5, dtype=torch.float64),
        "log_sigma": torch.zeros(2, 6, 1, 1, dtype=torch.float64),
    }


@pytest.mark.parametrize(
    ("progress", "angle", "sharpness", "bottleneck"),
    [
        (0.0, 0.0, 0.0, 0.0),
        (0.05, 0.05, 0.0, 2.5e-4),
        (0.1, 0.1, 0.0, 5e-4),
        (0.2, 0.1, 0.0, 1e-3),
        (0.3, 0.1, 0.0, 1e-3),
        (0.4, 0.1, 0.05 * (1 - 0.5**0.5) / 2, 1e-3),
        (0.5, 0.1, 0.025, 1e-3),
        (0.7, 0.1, 0.05, 1e-3),
        (1.0, 0.1, 0.05, 1e-3),
    ],
)
def test_the_schedule(progress: float, angle: float, sharpness: float, bottleneck: float) -> None:
    assert weights(progress) == pytest.approx(
        {
            "reconstruction": 1.0,
            "similarity": 0.2,
            "angle": angle,
            "sharpness": sharpness,
            "bottleneck": bottleneck,
            "gate": 0.05,
        },
        abs=1e-12,
    )


@given(st.floats(0, 1), st.floats(0, 1))
def test_no_weight_ever_falls(one: float, other: float) -> None:
    early, late = weights(min(one, other)), weights(max(one, other))
    assert all(late[name] >= early[name] for name in early)


def test_at_first_it_is_pixels_and_structure() -> None:
    filled = outputs()["image"]
    expected = charbonnier(filled, TARGET) + 0.2 * similarity_loss(filled, TARGET)
    torch.testing.assert_close(joint_objective(outputs(), TARGET, CLOUDY, 0.0), expected)


def test_at_last_all_terms_count() -> None:
    given, filled = outputs(), outputs()["image"]
    given["mu"] += 2.0  # a divergence of 2
    expected = (
        charbonnier(filled, TARGET)
        + 0.2 * similarity_loss(filled, TARGET)
        + 0.1 * spectral_angle_loss(filled, TARGET)
        + 0.05 * contrastive_sharpness(filled, TARGET, CLOUDY)
        + 1e-3 * 2.0
    )
    torch.testing.assert_close(joint_objective(given, TARGET, CLOUDY, 1.0), expected)


def test_the_gate_is_taught_where_there_is_a_mask() -> None:
    mask = cloud_mask()
    assert "gate" not in terms(outputs(), TARGET, CLOUDY)
    without = joint_objective(outputs(), TARGET, CLOUDY, 0.5)
    taught = joint_objective(outputs(), TARGET, CLOUDY, 0.5, mask)
    torch.testing.assert_close(taught - without, 0.05 * gate_loss(outputs()["gate"], mask))


def test_the_gate_wants_the_clear_share_of_the_mask() -> None:
    mask = torch.zeros(1, 8, 8)
    mask[:, :4] = 1.0
    mask[:, 4:, :2] = 1.0  # below: half of the left block is clouded, the right block is clear
    cost = {
        share: gate_loss(torch.tensor([[[[0.01, 0.01], [share, 0.99]]]]), mask).item()
        for share in (0.3, 0.5, 0.7)
    }
    assert min(cost, key=cost.__getitem__) == 0.5
    inverted = gate_loss(torch.tensor([[[[0.99, 0.99], [0.5, 0.01]]]]), mask)
    assert inverted.item() > cost[0.5] + 1.0


def test_the_network_learns_from_it() -> None:
    torch.manual_seed(0)
    network = IbHfn(
        widths=(8, 16, 32), optical_units=(1, 1, 1), sar_units=(1, 1, 1), bottleneck=6,
        bottom_units=1, up_units=1,
    )  # fmt: skip
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    target, cloudy, mask = TARGET.float(), TARGET.float().lerp(CLOUDY.float(), 0.5), cloud_mask()
    costs = []
    for _ in range(10):
        cost = joint_objective(network(cloudy, cloudy[:, :2]), target, cloudy, 1.0, mask)
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
        costs.append(cost.item())
    assert costs[-1] < 0.95 * costs[0]
