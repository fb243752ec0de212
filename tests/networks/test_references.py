"""Every network agrees in every output with a plain reference of the same weights.

The references are made from the specification of the networks alone. GLF-CR and Cloud-Attentive
are compared in test_glf_cr.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from cloudfree.networks.dsen2_cr import DSen2CR
from cloudfree.networks.ib_hfn import IbHfn
from cloudfree.networks.mcgan import McGan
from cloudfree.networks.sar2opt import Sar2Opt
from cloudfree.networks.sar_opt_cgan import SarOptCgan
from cloudfree.networks.sg_bafm_dfin import SgBafmDfin
from cloudfree.networks.simulation_fusion_gan import SimulationFusionGan
from cloudfree.networks.spa_gan import SpaGan
from cloudfree.networks.uncrtaints import UnCRtainTS
from tests.factories.networks import lively, noise
from tests.networks.reference_dsen2_cr import ReferenceDSen2Cr
from tests.networks.reference_ib_hfn import ReferenceIbHfn
from tests.networks.reference_mcgan import ReferenceMcGan
from tests.networks.reference_pix2pix_unet import ReferenceSar2Opt, ReferenceSarOptCgan
from tests.networks.reference_sg_bafm_dfin import ReferenceSgBafmDfin
from tests.networks.reference_simulation_fusion_gan import ReferenceSimulationFusionGan
from tests.networks.reference_spa_gan import ReferenceSpaGan
from tests.networks.reference_uncrtaints import ReferenceUnCRtainTS

SLIM_IB_HFN = {
    "widths": (8, 16, 24),
    "optical_units": (1, 2, 3),
    "sar_units": (2, 1, 1),
    "bottleneck": 12,
    "bottom_units": 2,
    "up_units": 1,
}


def assert_agree(network: nn.Module, reference: nn.Module, inputs: Sequence[Tensor]) -> None:
    """The same weights and inputs give the same outputs."""
    lively(network)
    reference.eval().load_state_dict(network.state_dict(), strict=True)
    with torch.inference_mode():
        found, wanted = network(*inputs), reference(*inputs)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert value.std() > 1e-3
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-4)


def tile(y: int, x: int, n: int = 2) -> tuple[Tensor, Tensor]:
    return noise(n, 13, y, x), noise(n, 2, y, x, seed=1)


def dates(y: int, x: int) -> tuple[Tensor, Tensor, Tensor]:
    """Two tiles on three dates; one tile has no second date."""
    optical, sar = noise(2, 3, 13, y, x), noise(2, 3, 2, y, x, seed=1)
    optical[0, 1], sar[0, 1] = 0, 0
    return optical, sar, torch.tensor([[1200.0, 1211.5, 1230.0], [900.0, 1000.0, 1300.0]])


def test_dsen2_cr() -> None:
    sizes = {"features": 16, "blocks": 3}
    assert_agree(DSen2CR(**sizes), ReferenceDSen2Cr(**sizes), tile(17, 22))


def test_ib_hfn() -> None:
    assert_agree(IbHfn(**SLIM_IB_HFN), ReferenceIbHfn(**SLIM_IB_HFN), tile(20, 36))


def test_mcgan() -> None:
    assert_agree(McGan(channels=4), ReferenceMcGan(channels=4), [noise(1, 4, 128, 256)])


def test_mcgan_with_sar() -> None:
    network = McGan(optical_bands=13, sar_bands=2, output_bands=13, channels=4)
    assert_agree(network, ReferenceMcGan(15, 13, channels=4), tile(128, 128))


@pytest.mark.parametrize("levels", [6, 7])
def test_sar2opt(levels: int) -> None:
    sizes = {"levels": levels, "channels": 4}
    assert_agree(Sar2Opt(**sizes), ReferenceSar2Opt(**sizes), [noise(2, 2, 128, 256)])


@pytest.mark.parametrize("levels", [6, 7])
def test_sar_opt_cgan(levels: int) -> None:
    sizes = {"levels": levels, "channels": 4}
    assert_agree(SarOptCgan(**sizes), ReferenceSarOptCgan(**sizes), tile(128, 256))


def test_sg_bafm_dfin() -> None:
    network = SgBafmDfin(channels=16, token_channels=32)
    assert_agree(network, ReferenceSgBafmDfin(16, token_channels=32), tile(48, 80))


def test_simulation_fusion_gan() -> None:
    network, reference = SimulationFusionGan(channels=8), ReferenceSimulationFusionGan(channels=8)
    assert_agree(network, reference, tile(20, 36))


def test_spa_gan() -> None:
    assert_agree(SpaGan(channels=8), ReferenceSpaGan(channels=8), [noise(2, 3, 19, 33)])


@pytest.mark.parametrize("scale_by", [1.0, 10.0])
def test_uncrtaints_for_one_date(scale_by: float) -> None:
    network = UnCRtainTS(width=32, scale_by=scale_by)
    assert_agree(network, ReferenceUnCRtainTS(width=32, scale_by=scale_by), tile(21, 34))


@pytest.mark.parametrize(("y", "x"), [(32, 64), (37, 50)])
def test_uncrtaints_for_several_dates(y: int, x: int) -> None:
    network = UnCRtainTS(multi_date=True, width=32)
    assert_agree(network, ReferenceUnCRtainTS(several=True, width=32), dates(y, x))
