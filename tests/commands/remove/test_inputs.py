"""Inputs of `remove` that do not fit the model, and outputs that are in the way."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cloudfree.commands.remove.inputs import (
    check_level,
    check_model,
    check_outputs,
    check_polarisations,
    check_sources,
    open_own_mask,
    open_sar,
    predicts_all,
    predicts_reflectance,
    warn_of_level,
)
from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.errors import InputError, OutputError
from cloudfree.inference.model_card import ModelCard
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import write_cloudy_scene, write_radar
from tests.factories.sentinel2_products import Safe, write_safe, write_zip


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return read_card(find_model(DEFAULT_MODEL))


@pytest.fixture
def options(tmp_path: Path) -> RemoveOptions:
    s1, s2 = write_radar(tmp_path / "vv_vh.tif"), write_cloudy_scene(tmp_path / "l1c.tif")
    return RemoveOptions(s1=(s1,), s2=s2)


def _scene(level: str | None, picture: bool = False) -> Any:
    return SimpleNamespace(level=level, is_picture=picture, name="l1c.tif")


def test_scenes_that_fit_are_opened(options: RemoveOptions, card: ModelCard) -> None:
    with ExitStack() as stack:
        optical = stack.enter_context(OpticalScene(options.s2))
        check_model(options, card, optical)
        radar = open_sar(options, card, optical, stack)
        assert radar is not None
        assert radar.grid == optical.grid


def test_a_model_that_needs_radar_refuses_to_go_without(
    options: RemoveOptions, card: ModelCard
) -> None:
    with (
        OpticalScene(options.s2) as optical,
        pytest.raises(InputError, match="no Sentinel-1 scene; wanted VV and VH, which model"),
    ):
        check_model(replace(options, s1=()), card, optical)


def test_a_model_without_radar_leaves_it_closed(
    options: RemoveOptions, card: ModelCard, caplog: pytest.LogCaptureFixture
) -> None:
    alone = replace(card, inputs=("optical",), sar_bands=())
    with caplog.at_level("INFO", "cloudfree"), ExitStack() as stack:
        optical = stack.enter_context(OpticalScene(options.s2))
        given = replace(options, fill_by="network")
        assert open_sar(given, alone, optical, stack) is None
    assert "does not use Sentinel-1: it is ignored" in caplog.text


def test_one_polarisation_is_refused_for_a_model_that_takes_both(
    options: RemoveOptions, card: ModelCard
) -> None:
    radar: Any = SimpleNamespace(bands=("VH",), path=Path("vh.tif"))
    without_radar = replace(card, inputs=("optical",))
    assert card.uses_sar and not without_radar.uses_sar
    for given, model in (
        (options, without_radar),
        (replace(options, fill_by="scene"), card),
    ):
        check_polarisations(given, model, radar)
    check_polarisations(options, card, SimpleNamespace(bands=("VV", "VH")))  # type: ignore
    with pytest.raises(InputError, match=r"VH alone in vh\.tif; wanted VV and VH, which model"):
        check_polarisations(options, card, radar)


@pytest.mark.parametrize(
    ("levels", "bands", "predicted"),
    [
        (("L1C",), ("B02", "B8A"), True),
        (("picture",), ("B02", "B8A"), False),
        (("L1C",), ("B02", "B99"), False),
    ],
)
def test_reflectance_of_all_bands_can_be_compared_with_a_scene(
    card: ModelCard, levels: tuple[str, ...], bands: tuple[str, ...], predicted: bool
) -> None:
    assert predicts_reflectance(replace(card, levels=levels), bands) is predicted
    assert predicts_all(card, bands) is ("B99" not in bands)


def test_radar_is_opened_for_references_whatever_the_model(
    options: RemoveOptions, card: ModelCard
) -> None:
    alone = replace(card, inputs=("optical",), sar_bands=())
    with ExitStack() as stack:
        optical = stack.enter_context(OpticalScene(options.s2))
        given = replace(options, references=(options.s2,))
        assert open_sar(given, alone, optical, stack) is not None


def test_bands_that_others_stand_in_for_are_needed_by_the_model_alone(
    options: RemoveOptions, card: ModelCard
) -> None:
    with ExitStack() as stack:
        optical = stack.enter_context(OpticalScene(options.s2))
        del optical.positions["B10"]
        check_model(options, card, optical)
        with pytest.raises(InputError, match="no band B10"):
            check_model(replace(options, fill_by="network"), card, optical)
        del optical.positions["B03"]
        with pytest.raises(InputError, match="no band B03 in"):
            check_model(options, card, optical)


def test_a_level_of_the_card_passes_without_a_word(
    card: ModelCard, caplog: pytest.LogCaptureFixture
) -> None:
    for level in (*card.levels, None):
        check_level(_scene(level), replace(card, other_levels="refuse"))
    assert not caplog.messages


def test_another_level_is_warned_of_or_refused_as_the_card_says(
    card: ModelCard, caplog: pytest.LogCaptureFixture
) -> None:
    warns = replace(card, other_levels="warn")
    check_level(_scene("other"), warns)
    assert not caplog.messages
    warn_of_level(_scene("other"), warns)
    assert f"l1c.tif is other, model {card.name} was trained on" in caplog.text
    with pytest.raises(InputError, match=r"l1c\.tif is other; wanted .*refuses others"):
        check_level(_scene("other"), replace(card, other_levels="refuse"))


def test_pictures_are_for_models_of_pictures(
    card: ModelCard, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InputError, match=r"8-bit numbers in l1c\.tif; wanted reflectance"):
        check_level(_scene(None, picture=True), card)
    of_pictures = replace(card, levels=("picture",))
    check_level(_scene(None, picture=True), of_pictures)
    assert not caplog.messages
    warn_of_level(_scene("L1C"), of_pictures)
    assert "was trained on 8-bit images" in caplog.text


@pytest.mark.parametrize("name", ["l1c_cloudfree.tif", "l1c_cloudfree_filled.tif"])
def test_outputs_that_exist_are_kept_but_for_dry_runs(options: RemoveOptions, name: str) -> None:
    check_outputs(options)
    options.s2.with_name(name).touch()
    with pytest.raises(OutputError, match=f"{name} exists already"):
        check_outputs(options)
    check_outputs(replace(options, overwrite=True))
    check_outputs(replace(options, dry_run=True))


def test_no_output_replaces_an_input_or_another(options: RemoveOptions) -> None:
    for change in ({"output": options.s2}, {"report": options.result}, {"output": options.s1[0]}):
        with pytest.raises(OutputError, match="is an input or another"):
            check_outputs(replace(options, overwrite=True, **change))


def _product(folder: Path, level: str) -> Path:
    return write_safe(folder, Safe(level))


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_the_scene_classification_of_the_product_is_the_mask(tmp_path: Path, packed: bool) -> None:
    safe = Safe("L2A")
    path = write_zip(tmp_path, safe) if packed else write_safe(tmp_path, safe)
    options = RemoveOptions(s2=path, mask="scl")
    with OpticalScene(path) as optical, open_own_mask(options, optical) as mask:
        assert mask.counts()[0] == 48 * 48
        assert str(mask.origin).endswith("_SCL_20m.jp2")


def test_a_product_as_mask_gives_its_scene_classification(tmp_path: Path) -> None:
    options = RemoveOptions(s2=_product(tmp_path, "L1C"), mask=_product(tmp_path, "L2A"))
    with OpticalScene(options.s2) as optical, open_own_mask(options, optical) as mask:
        assert mask.counts()[0] == 48 * 48


def test_a_product_without_a_scene_classification_has_no_mask(tmp_path: Path) -> None:
    path = _product(tmp_path, "L1C")
    with OpticalScene(path) as optical:
        for mask in ("scl", path):
            options = RemoveOptions(s2=path, mask=mask)  # type: ignore[arg-type]
            text = r"no scene classification \(SCL\) in S2B_MSIL1C.*; wanted an L2A product with"
            with pytest.raises(InputError, match=text):
                open_own_mask(options, optical)


def test_a_scene_classification_has_no_threshold(tmp_path: Path) -> None:
    path = _product(tmp_path, "L2A")
    options = RemoveOptions(s2=path, mask="scl", mask_threshold=0.5)
    with OpticalScene(path) as optical, pytest.raises(InputError, match="which holds classes"):
        open_own_mask(options, optical)


def test_a_date_of_no_radar_is_refused(options: RemoveOptions) -> None:
    dated = replace(options, s1_date=datetime(2021, 4, 24, tzinfo=UTC))
    check_sources(dated)
    with pytest.raises(InputError, match="--s1-date without --s1; wanted the Sentinel-1 scene of"):
        check_sources(replace(dated, s1=()))


def test_what_fills_and_what_is_filled_must_fit_each_other(options: RemoveOptions) -> None:
    check_sources(options)
    with pytest.raises(InputError, match="--fill-by scene with --replace all"):
        check_sources(replace(options, fill_by="scene", replace="all"))
    with pytest.raises(InputError, match="--fill-by network with --reference; wanted either"):
        check_sources(replace(options, fill_by="network", references=(options.s2,)))
