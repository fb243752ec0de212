"""How a result was made, as pairs of a name and a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloudfree import __version__
from cloudfree.report.metadata_table import metadata
from cloudfree.report.sources import open_sources
from tests.factories.results import write_result


def metadata_of(folder: Path, truth: bool = False, **tags: str | None) -> dict[str, str]:
    fake = write_result(folder, **tags)
    with open_sources(fake.result, fake.truth if truth else None) as sources:
        return dict(metadata(sources))


def test_inputs_model_and_shift_are_listed(tmp_path: Path) -> None:
    found = metadata_of(tmp_path, truth=True, CLOUDFREE_S1_UNITS="db (as given)")
    expected = {
        "Model": "cloudfree-s",
        "Licence": "Apache-2.0",
        "Weights SHA-256": "9f86d0",
        "Sentinel-2": "l1c.tif",
        "Sentinel-1": "l1c_s1.tif",
        "Sentinel-1 in": "db",
        "Shift": "+0.42 rows, -0.85 columns: reliable",
        "Mask": "l1c_mask.tif",
        "Truth": "l1c_truth.tif",
        "Size": "64 \N{MULTIPLICATION SIGN} 48 pixels",
        "Made by": "cloudfree 0.1.0",
    }
    assert {name: found[name] for name in expected} == expected
    assert found["Bands"].startswith("B01, B02")
    assert "10 m pixels" in found["Grid"]


def test_what_is_unknown_is_left_out(tmp_path: Path) -> None:
    found = metadata_of(tmp_path, CLOUDFREE_MASK=None, CLOUDFREE_MODEL=None)
    assert not {"Mask", "Model", "Heights", "Truth", "Adapted to the scene"} & set(found)


def test_without_a_shift_the_reason_is_given(tmp_path: Path) -> None:
    tags = {"CLOUDFREE_SHIFT_PX": "0,0", "CLOUDFREE_SHIFT_REASON": "not measured"}
    assert metadata_of(tmp_path, **tags)["Shift"] == "none: not measured"


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"CLOUDFREE_ADAPTED": "no: too few clear pixels"}, "no: too few clear pixels"),
        (
            {"CLOUDFREE_ADAPTED": "yes", "CLOUDFREE_ADAPTED_GAIN_DB": "1.5"},
            "yes, +1.50 dB on clear pixels held out",
        ),
    ],
)
def test_the_gain_of_the_adaptation_is_listed(
    tmp_path: Path, tags: dict[str, str], text: str
) -> None:
    assert metadata_of(tmp_path, **tags)["Adapted to the scene"] == text


def test_the_version_of_the_page_is_listed_if_it_is_another(tmp_path: Path) -> None:
    assert metadata_of(tmp_path / "a", CLOUDFREE_VERSION="0.0")["Page by"].endswith(__version__)
    assert "Page by" not in metadata_of(tmp_path / "b", CLOUDFREE_VERSION=__version__)
