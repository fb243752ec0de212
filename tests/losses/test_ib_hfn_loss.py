"""The joint objective of IB-HFN: its terms, its schedule, its network."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cloudfree.losses.ib_hfn_loss import (
    TERMS,
    blurred,
    bottleneck_divergence,
    contrastive_sharpness,
    gate_loss,
    joint_objective,
    laplacian,
    terms,
    weights,
)
from cloudfree.losses.pixel import (
    charbonnier,
    l1,
    spectral_angle_loss,
)
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


@pytest.mark.parametrize("term", TERMS)
def test_a_term_that_is_left_out_is_all_that_is_missing(term: str) -> None:
    given, mask = outputs(), cloud_mask()
    given["mu"] += 2.0
    whole = joint_objective(given, TARGET, CLOUDY, 1.0, mask)
    value = weights(1.0)[term] * terms(given, TARGET, CLOUDY, mask)[term]
    needless = {name: given[name] for name in given if name not in TERMS[term]}
    part = joint_objective(needless, TARGET, CLOUDY, 1.0, mask, (term,))
    torch.testing.assert_close(whole - part, value)
    assert value > 0


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


class TestBottleneck:
    def test_the_standard_normal_costs_nothing(self) -> None:
        assert bottleneck_divergence(torch.zeros(2, 6, 4, 4), torch.zeros(2, 6, 1, 1)).item() == 0.0

    def test_it_is_the_divergence_of_the_distributions(self) -> None:
        mu, log_sigma = image(1, bands=6), image(2, bands=6, y=1, x=1) - 0.5
        posterior = torch.distributions.Normal(mu, log_sigma.exp())
        standard = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
        expected = torch.distributions.kl_divergence(posterior, standard).mean()
        torch.testing.assert_close(bottleneck_divergence(mu, log_sigma), expected)


class TestSharpness:
    def test_a_parabola_has_the_laplacian_of_a_parabola(self) -> None:
        y, x = torch.meshgrid(torch.arange(7.0), torch.arange(9.0), indexing="ij")
        found = laplacian((y**2 + 3 * x**2).reshape(1, 1, 7, 9))
        torch.testing.assert_close(found, torch.full((1, 1, 5, 7), 8.0))

    def test_blur_keeps_even_ground_up_to_the_border(self) -> None:
        even = torch.full((1, 2, 8, 8), 0.3)
        torch.testing.assert_close(blurred(even), even)

    def test_a_point_is_blurred_over_five_by_five(self) -> None:
        point = torch.zeros(1, 1, 11, 11)
        point[..., 5, 5] = 25.0
        expected = torch.zeros(1, 1, 11, 11)
        expected[..., 3:8, 3:8] = 1.0
        torch.testing.assert_close(blurred(point), expected)

    def test_blur_costs_more_than_the_truth_and_haze_more_than_nothing(self) -> None:
        target, cloudy = image(1), 0.1 * image(2) + 0.8
        sharp, hazy, soft = (
            contrastive_sharpness(candidate, target, cloudy).item()
            for candidate in (target, cloudy, blurred(target))
        )
        assert sharp == 0.0
        assert hazy > 0.5
        assert soft > 0.5

    def test_it_is_the_ratio_of_the_distances(self) -> None:
        filled, target, cloudy = image(1, n=1), image(2, n=1), image(3, n=1)
        edges, true, hazy, soft = map(laplacian, (filled, target, cloudy, blurred(target)))
        expected = l1(edges, true) / (l1(edges, hazy) + l1(edges, soft) + 1e-6)
        torch.testing.assert_close(contrastive_sharpness(filled, target, cloudy), expected)
