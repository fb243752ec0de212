"""One door for the settings of every network: what passes can be built and run."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import pytest
import torch
from torch import nn

from cloudfree.errors import CloudfreeError, ModelError
from cloudfree.inference.checkpoint import build_network, check_settings, network_arguments
from cloudfree.inference.model_card import model_card
from cloudfree.inference.network_arguments import check_arguments, default_arguments
from cloudfree.inference.registry import card_entries
from tests.inference.test_checkpoint import SMALL

WRONG: tuple[Any, ...] = (
    0, -1, 1, 3, 7, True, "nonsense", 2.5, float("nan"), [], [8, 8], [0, 0, 0], [1, 2, 3],
    ["a", 1, 2], None, 10**400, {"a": 1}, "without-sar",
)  # fmt: skip
OWN = {"name": "a", "weights": "", "weights_sha256": ""}


def _run(name: str, settings: dict[str, Any]) -> None:
    """Build a network, and let it predict and learn as its card says."""
    network = build_network(name, settings)
    card = model_card({**card_entries(name, settings), **OWN})
    side = max(32, int(getattr(network, "SIZE_MULTIPLE", 1)))
    inputs = [torch.rand(2, bands, side, side) for bands in card.input_bands.values()]
    for training in (False, True):
        image = network.train(training)(*inputs)["image"]
        assert image.shape[1] >= len(card.output_bands)


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("name", SMALL)
def test_a_setting_is_refused_in_one_line_or_works(name: str) -> None:
    refused = 0
    for argument in network_arguments(name):
        for value in WRONG:
            if argument == "levels" and isinstance(value, int) and value > 6:
                continue  # tiles of 128 pixels and more
            try:
                _run(name, {**SMALL[name], argument: value})
            except CloudfreeError as error:
                assert "\n" not in str(error)
                refused += 1
    assert refused > len(WRONG)


@pytest.mark.parametrize(
    ("name", "settings", "text"),
    [
        (
            "glf_cr", {"variant": "nonsense"},
            "network glf_cr with variant = 'nonsense'; wanted one of glf-cr, concat, without-sar, ",
        ),
        ("glf_cr", {"variants": "concat"}, "no setting 'variants' of network glf_cr; wanted one "),
        ("glf_cr", {"drop": 1.0}, "with drop = 1.0; wanted a number of at least 0 and below 1; "),
        ("glf_cr", {"sar_bands": 0}, r"cannot be built with .* \(variant glf-cr needs SAR\)"),
        ("cloud_attentive", {"variant": "concat"}, "no setting 'variant' of network cloud_attent"),
        (
            "sg_bafm_dfin", {"token_channels": 30},
            "with token_channels = 30 and heads = 8; wanted token_channels that is a multiple of he"
            "ads; correct --network-setting, or ",
        ),
        ("ib_hfn", {"widths": [8, 16]}, r"widths = \[8, 16\]; wanted 3 times a whole number from "
         r"4 to 65536, such as \[48, 96, 192\]"),
        ("uncrtaints", {"block": "dense"}, "with block = 'dense'; wanted one of mbconv, residual"),
        ("uncrtaints", {"multi_date": 1}, "with multi_date = 1; wanted true or false"),
        ("uncrtaints", {"heads": 3, "multi_date": True}, "3 heads do not divide a width of 128"),
        ("dsen2_cr", {"features": 8.0}, "with features = 8.0; wanted a whole number from 1 to"),
        ("dsen2_cr", {"sar_bands": 1}, "with sar_bands = 1; wanted 0 or 2; "),
        ("dsen2_cr", {"feature": 8}, r"wanted one of features, .*; did you mean 'features'\?"),
        ("spa_gan", {"zzz": 8}, "no setting 'zzz' .*; see `cloudfree models show spa_gan`"),
    ],
)  # fmt: skip
def test_the_refusal_says_what_a_setting_may_be(
    name: str, settings: dict[str, Any], text: str
) -> None:
    with pytest.raises(ModelError, match=text):
        build_network(name, settings)


def test_what_a_network_is_built_with_is_checked_without_building_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nn.Conv2d, "__init__", lambda *_, **__: pytest.fail("built"))
    check_settings("dsen2_cr", {"features": 8})
    with pytest.raises(ModelError, match="features = 0"):
        check_settings("dsen2_cr", {"features": 0})


class Free(nn.Module):
    """A network of a plugin that says little about its arguments."""

    def __init__(self, side, depth: int = -1, sizes: Sequence[int] = (1,), **more: Any) -> None:
        super().__init__()


class Typed(nn.Module):
    """And one that says more."""

    def __init__(self, kind: Literal["a", "b"] = "a", share: float = 0.5) -> None:
        super().__init__()


class Unresolved(nn.Module):
    """And one whose types are known to its type checker alone."""

    def __init__(self, side: Nowhere = 3) -> None:  # type: ignore[name-defined]  # noqa: F821
        super().__init__()


def test_a_plugin_is_held_against_what_it_says() -> None:
    check_arguments("free", Free, {"side": "x", "depth": -3, "sizes": [1, 2], "other": 4})
    with pytest.raises(ModelError, match="network free without side; wanted settings with side"):
        check_arguments("free", Free, {})
    with pytest.raises(ModelError, match=r"depth = 'x'; wanted a whole number;"):
        check_arguments("free", Free, {"side": 1, "depth": "x"})
    check_arguments("typed", Typed, {"share": -2})
    with pytest.raises(ModelError, match=r"kind = 'c'; wanted one of a, b"):
        check_arguments("typed", Typed, {"kind": "c"})
    check_arguments("unresolved", Unresolved, {"side": "anything"})
    with pytest.raises(ModelError, match=r"no setting 'x' .*; wanted one of side"):
        check_arguments("unresolved", Unresolved, {"x": 1})


def test_defaults_are_those_of_the_class() -> None:
    assert default_arguments(Typed) == {"kind": "a", "share": 0.5}
    assert network_arguments("cloud_attentive")["growth"] == 48, "its own, not a mapping"


def test_what_the_code_of_a_plugin_raises_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            raise KeyError("first\nsecond")

    monkeypatch.setattr("cloudfree.inference.checkpoint._network_class", lambda _: Broken)
    with warnings.catch_warnings(), pytest.raises(ModelError, match="cannot be built") as refused:
        build_network("broken", {})
    assert "\n" not in str(refused.value)
