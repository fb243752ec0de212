"""The table of networks: what each is, its bands and its card."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.errors import ModelError
from cloudfree.inference import registry
from cloudfree.inference.registry import (
    DEFAULT_MODEL,
    bands_by_number,
    card_entries,
    has_network,
    load_plugins,
    network_entry,
    network_module,
    network_names,
)
from tests.factories.plugin_network import write_plugin
from tests.inference.test_checkpoint import SMALL


@pytest.mark.parametrize("name", network_names())
def test_the_catalogue_gives_every_network_a_whole_card(name: str) -> None:
    entry = network_entry(name)
    assert {"title", "paper", "weights_license", "inputs", "outputs", "multiple"} <= entry.keys()
    settings = {key: value for key, value in SMALL[name].items() if "bands" in key}
    card = card_entries(name, settings)
    assert set(card["inputs"]) <= {"optical", "sar", "shadow"}
    assert ("sar" in card) == ("sar" in card["inputs"])


def test_the_default_model_is_of_the_first_network() -> None:
    assert network_names()[0] == "cloudfree_s"
    assert network_entry("cloudfree_s")["title"] == DEFAULT_MODEL


def test_an_unknown_network_is_refused_with_those_there_are() -> None:
    with pytest.raises(ModelError, match=r"no network 'glfcr'; wanted one of .*glf_cr"):
        network_entry("glfcr")


@pytest.mark.parametrize("number", [3, 4, 13])
def test_so_many_bands_are_named_in_the_order_of_the_sensor(number: int) -> None:
    bands = bands_by_number(number)
    assert len(bands) == number
    assert bands == [band for band in OPTICAL_BANDS if band in bands]


def test_a_number_of_bands_without_names_is_refused() -> None:
    with pytest.raises(
        ModelError, match=r"a network for 5 optical bands; wanted 13, 4, 3 bands, .*--settings"
    ):
        bands_by_number(5)


def test_a_network_for_pictures_takes_scenes_when_it_has_their_bands() -> None:
    levels = {number: card_entries("spa_gan", {"optical_bands": number})["levels"]
              for number in (3, 13)}  # fmt: skip
    assert "picture" in levels[3]
    assert "picture" not in levels[13]


def test_a_network_without_radar_bands_has_no_radar_on_its_card() -> None:
    card = card_entries("glf_cr", {"sar_bands": 0})
    assert card["inputs"] == ["optical"]
    assert "sar" not in card
    assert card_entries("glf_cr", {})["sar"]["bands"] == ["VV", "VH"]


def test_a_card_has_bands_for_what_the_network_returns() -> None:
    card = card_entries("spa_gan", {"optical_bands": 13, "output_bands": 4})
    assert len(card["optical"]["bands"]) == 13
    assert card["output"]["bands"] == card["optical"]["bands"][:4]


def test_a_network_takes_several_dates_where_it_is_built_for_them() -> None:
    one, several = (card_entries("uncrtaints", {"multi_date": dated}) for dated in (False, True))
    assert (one["dates"], one["tile"]["multiple"]) == ("one", 1)
    assert (several["dates"], several["tile"]["multiple"]) == ("one or several", 32)
    assert card_entries("glf_cr", {})["dates"] == "one"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of a plugin that is loaded for one test."""
    monkeypatch.setattr(registry, "_loaded", {})
    path = write_plugin(tmp_path)
    load_plugins([path])
    return path


def test_a_network_of_a_file_stands_behind_those_of_the_package(loaded: Path) -> None:
    assert network_names()[-1] == "brighten"
    assert has_network("brighten")
    card = card_entries("brighten", {})
    assert card["optical"]["bands"] == list(OPTICAL_BANDS)
    assert network_module("brighten").Brighten().more.shape == (13, 1, 1)


def test_without_its_file_a_network_is_unknown() -> None:
    assert not has_network("brighten")
    with pytest.raises(ModelError, match=r"no network 'brighten'; .*--plugin"):
        network_entry("brighten")


def test_a_file_can_be_given_twice_but_not_two_of_one_name(loaded: Path, tmp_path: Path) -> None:
    load_plugins([loaded, loaded])
    (tmp_path / "other").mkdir()
    with pytest.raises(ModelError, match=r"network 'brighten' .*wanted another name: .*brighten"):
        load_plugins([write_plugin(tmp_path / "other")])
    with pytest.raises(ModelError, match=r"'glf_cr' of plugin .*: there is one of cloudfree"):
        load_plugins([write_plugin(tmp_path, "glf_cr")])


def test_bands_that_are_returned_do_not_say_which_are_taken() -> None:
    card = card_entries("sar_opt_cgan", {"output_bands": 3})
    assert (len(card["optical"]["bands"]), card["output"]["bands"]) == (13, ["B01", "B02", "B03"])
    alone = card_entries("sar2opt", {"output_bands": 3})
    assert alone["output"]["bands"] == alone["optical"]["bands"] == ["B02", "B03", "B04"]


TEN = tuple(band for band in OPTICAL_BANDS if band not in ("B01", "B09", "B10"))


def test_bands_are_named_where_their_number_does_not(loaded: Path) -> None:
    card = card_entries("dsen2_cr", {"optical_bands": 10}, TEN)
    assert card["optical"]["bands"] == list(TEN)
    assert card["output"]["bands"] == list(TEN)
    with pytest.raises(ModelError, match="10 bands for network dsen2_cr of 13; wanted the names"):
        card_entries("dsen2_cr", {"optical_bands": 13}, TEN)


@pytest.mark.parametrize(
    "settings",
    [{"optical_bands": "13"}, {"sar_bands": None}, {"multi_date": 1}, {"output_bands": []}],
)
def test_arguments_of_another_type_are_refused(settings: dict) -> None:
    with pytest.raises(
        ModelError, match=r"arguments of network uncrtaints of the wrong type \(.*@"
    ):
        card_entries("uncrtaints", settings)
