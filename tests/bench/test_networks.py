"""Networks beside a plain reference with the same weights, in turns: read the ratios.

A network and its reference run in turns in one process, so that a busy machine slows both alike.
The ratio is the median over the turns. GLF-CR is promised to be twice as fast as its reference,
the others as fast. A promise may be missed by a tenth: that much the ratio of two equal networks
varies on a shared machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import pytest
import torch
from torch import Tensor, nn

from cloudfree.networks.cloud_attentive import CloudAttentive
from cloudfree.networks.dsen2_cr import DSen2CR
from cloudfree.networks.glf_cr import GlfCr
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
from tests.networks.reference_glf_cr import ReferenceGlfCr
from tests.networks.reference_ib_hfn import ReferenceIbHfn
from tests.networks.reference_mcgan import ReferenceMcGan
from tests.networks.reference_pix2pix_unet import ReferenceSar2Opt, ReferenceSarOptCgan
from tests.networks.reference_sg_bafm_dfin import ReferenceSgBafmDfin
from tests.networks.reference_simulation_fusion_gan import ReferenceSimulationFusionGan
from tests.networks.reference_spa_gan import ReferenceSpaGan
from tests.networks.reference_uncrtaints import ReferenceUnCRtainTS

pytestmark = pytest.mark.bench

ROUNDS = 6
NOISE = 0.1  # share of a promised ratio that a busy machine may take
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Case:
    """A network and its reference, both in full size; ``size`` in pixels."""

    network: Callable[[], nn.Module]
    reference: Callable[[], nn.Module]
    size: int
    inputs: tuple[str, ...] = ("optical", "sar")
    promised: float = 1.0
    weights: Callable[[nn.Module], nn.Module] = lively


# Under lively weights GLF-CR in full size amplifies rounding errors beyond all tolerance.
CASES = {
    "GLF-CR": Case(GlfCr, ReferenceGlfCr, 128, promised=2.0, weights=nn.Module.eval),
    "GLF-CR, large": Case(GlfCr, ReferenceGlfCr, 256, promised=2.0, weights=nn.Module.eval),
    "Cloud-Attentive": Case(
        CloudAttentive, partial(ReferenceGlfCr, mask_sar=False), 128, weights=nn.Module.eval
    ),
    "IB-HFN": Case(IbHfn, ReferenceIbHfn, 256),
    "SG-BAFM + DFIN": Case(SgBafmDfin, ReferenceSgBafmDfin, 128),
    "UnCRtainTS, one date": Case(UnCRtainTS, ReferenceUnCRtainTS, 128),
    "UnCRtainTS, three dates": Case(
        partial(UnCRtainTS, multi_date=True),
        partial(ReferenceUnCRtainTS, several=True),
        128,
        inputs=("optical series", "sar series", "dates"),
    ),
    "DSen2-CR": Case(DSen2CR, ReferenceDSen2Cr, 64),
    "SpA GAN": Case(SpaGan, ReferenceSpaGan, 256, inputs=("picture",)),
    "McGAN": Case(McGan, ReferenceMcGan, 256, inputs=("picture with infrared",)),
    "Simulation-Fusion GAN": Case(SimulationFusionGan, ReferenceSimulationFusionGan, 128),
    "SAR-Opt-cGAN": Case(SarOptCgan, ReferenceSarOptCgan, 256),
    "SAR2OPT": Case(Sar2Opt, ReferenceSar2Opt, 256, inputs=("sar",)),
}


def _input(name: str, size: int) -> Tensor:
    if name == "dates":
        return torch.tensor([[1200.0, 1211.5, 1230.0]])
    lead = {
        "optical": (13,),
        "sar": (2,),
        "optical series": (3, 13),
        "sar series": (3, 2),
        "picture": (3,),
        "picture with infrared": (4,),
    }[name]
    return noise(1, *lead, size, size, seed=len(name))


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _seconds_of_both(
    own: Callable[[], object], plain: Callable[[], object], own_first: bool
) -> tuple[float, float]:
    """The order changes from turn to turn: what runs first finds other caches and other load."""
    if own_first:
        return _seconds(own), _seconds(plain)
    plain_s = _seconds(plain)
    return _seconds(own), plain_s


def _image(network: nn.Module, inputs: list[Tensor]) -> Tensor:
    result = network(*inputs)
    image: Tensor = result["image"] if isinstance(result, dict) else result
    return image


@pytest.mark.parametrize("name", CASES)
def test_a_network_agrees_with_its_reference_and_is_as_fast_as_promised(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    torch.set_num_threads(2)
    torch.manual_seed(0)
    network, reference = case.weights(case.network()), case.reference().eval()
    reference.load_state_dict(network.state_dict())
    network.to(memory_format=torch.channels_last)  # as the runtime lays it out
    inputs = [_input(kind, case.size) for kind in case.inputs]
    with torch.inference_mode():
        difference = (_image(network, inputs) - _image(reference, inputs)).abs().max()
        runs = partial(network, *inputs), partial(reference, *inputs)
        times = [_seconds_of_both(*runs, own_first=turn % 2 == 0) for turn in range(ROUNDS)]
    own, plain = (median(column) for column in zip(*times, strict=True))
    ratio = median(plain / own for own, plain in times)
    with capsys.disabled():
        print(
            f"\n{name}, {case.size} x {case.size}: {own:.2f} s, reference {plain:.2f} s, "
            f"{ratio:.2f} times as fast, largest difference {difference:.1e}"
        )
    assert difference <= TOLERANCE
    assert ratio >= (1 - NOISE) * case.promised
