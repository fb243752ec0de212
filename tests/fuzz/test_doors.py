"""Whatever is written into a file, its reader returns something or refuses it in one line.

Unlike in test_fuzz.py nothing of these files was ever whole: they are drawn from all JSON, TOML,
XML, tables and bytes, with the names that readers look for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cloudfree.commands.batch.scenes import read_scene_list
from cloudfree.commands.models.check import read_arrays
from cloudfree.commands.report.folder import failures_in
from cloudfree.commands.search.candidates import candidate
from cloudfree.core.journal import check_journal, settle
from cloudfree.datasets.split_file import read_split
from cloudfree.errors import CloudfreeError
from cloudfree.inference.checkpoint import read_tensors
from cloudfree.inference.model_store import read_card
from cloudfree.raster.geojson import read_area
from cloudfree.sentinel1.annotation import read_annotation, read_calibration, read_noise
from cloudfree.sentinel1.product import relative_orbit
from cloudfree.sentinel2.metadata import product_metadata, sun_azimuth_deg
from cloudfree.sentinel2.stac import stac_product
from cloudfree.training.settings import read_own_settings, read_settings

# Drawn for each reader, in the short form and in the long one.
SHORT, LONG = 20, int(os.environ.get("CLOUDFREE_DRAWS", "500"))

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)


def _json(names: str) -> SearchStrategy[Any]:
    """JSON whose keys are mostly these names."""
    keys = st.sampled_from(names.split()) | st.text(max_size=4)
    return st.recursive(
        SCALARS | st.sampled_from(names.split()),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=8),
        max_leaves=24,
    )


def _json_file(names: str) -> SearchStrategy[bytes]:
    return st.dictionaries(st.sampled_from(names.split()), _json(names)).map(
        lambda content: json.dumps(content).encode()
    )


def _toml(content: dict[str, Any]) -> bytes | None:
    try:
        return tomli_w.dumps(content).encode()
    except (TypeError, AttributeError, UnicodeEncodeError):  # TOML has no null
        return None


def _toml_file(names: str) -> SearchStrategy[bytes]:
    drawn = st.dictionaries(st.sampled_from(names.split()), _json(names)).map(_toml)
    return drawn.filter(lambda content: content is not None)


def _xml_file(names: str) -> SearchStrategy[bytes]:
    tags = st.sampled_from(names.split())
    texts = st.text(max_size=8) | st.floats().map(repr) | st.integers().map(str) | tags
    leaves = st.builds(lambda tag, text: f"<{tag}>{escape(text)}</{tag}>", tags, texts)
    nested = st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda tag, inside: f"<{tag}>{''.join(inside)}</{tag}>", tags, st.lists(inner)
        ),
        max_leaves=24,
    )
    return nested.map(lambda text: text.encode("utf-8", "replace"))


def _bytes_file(*starts: bytes) -> SearchStrategy[bytes]:
    return st.builds(lambda start, rest: start + rest, st.sampled_from(starts), st.binary())


_ITEM = """type Feature FeatureCollection features id assets properties href roles data bands name
eo:bands raster:bands scale offset gsd proj:transform B02 blue datetime collection links
sentinel-2-l1c platform view:sun_azimuth stac_version 1.0.0 geometry bbox stac_extensions rel self
s2:product_uri"""
_CARD = """name network glf_cr dsen2_cr weights weights.onnx weights_sha256 description license
levels inputs optical sar tile size overlap multiple bands clip scale output B02 VV VH
network_settings other_levels dates training"""
_SETTINGS = """network preset network_settings bands loss l1 optimiser adam learning_rate betas
weight_decay schedule cosine epochs steps batch_size crop shares seed clip_norm ema_decay batch"""
_ANNOTATION = """product adsHeader productType GRD missionId startTime generalAnnotation
productInformation pass orbitList orbit time position x y z imageAnnotation imageInformation
numberOfLines numberOfSamples rangePixelSpacing geolocationGrid geolocationGridPointList
geolocationGridPoint azimuthTime slantRangeTime line pixel latitude longitude height incidenceAngle
calibrationVectorList calibrationVector sigmaNought noiseVectorList noiseVector noiseLut
noiseRangeVectorList noiseRangeVector noiseRangeLut noiseAzimuthVectorList noiseAzimuthVector"""
_METADATA = """PROCESSING_LEVEL Level-1C PROCESSING_BASELINE 05.11 QUANTIFICATION_VALUE 10000
RADIO_ADD_OFFSET -1000 SPECIAL_VALUE_TEXT NODATA SPECIAL_VALUE_INDEX SENSING_ORBIT_NUMBER
SPACECRAFT_NAME PRODUCT_URI PRODUCT_START_TIME Mean_Sun_Angle AZIMUTH_ANGLE"""
_GEOJSON = """type FeatureCollection Feature features geometry geometries Polygon MultiPolygon
GeometryCollection coordinates"""

_FOUND = """id properties datetime start_datetime eo:cloud_cover collection bbox geometry type
Polygon MultiPolygon coordinates links rel self href https://api/a 2022-06-05T10:50:31Z"""
_LOG = "name ended state failed filled code message attempts 2026-01-02"
_JOURNAL = "drafts files outdated replaces stamps a.tif a.qml .a.part.m.1.r.x .. ../b.tif"


def _carried_out(path: Path) -> None:
    """What the next run does with a journal."""
    settle(path.with_name("a.tif"))
    check_journal(path.with_name("a.tif"))


Door = tuple[str, Callable[[Path], object], SearchStrategy[bytes]]
DOORS: dict[str, Door] = {
    "STAC item": ("item.json", stac_product, _json_file(_ITEM)),
    "model card": ("card.toml", lambda path: read_card(path.parent), _toml_file(_CARD)),
    "settings of a run": ("s.toml", read_settings, _toml_file(_SETTINGS)),
    "own settings": (
        "s.toml", lambda path: read_own_settings(path, "glf_cr"), _toml_file(_SETTINGS)
    ),
    "GeoJSON": ("a.geojson", read_area, _json_file(_GEOJSON)),
    "CSV list": (
        "list.csv",
        read_scene_list,
        st.text(st.sampled_from('s2,1\n"\r\0 maskname') | st.characters()).map(
            lambda text: ("s2,s1,mask,name\n" + text).encode("utf-8", "replace")
        ),
    ),
    "item of a search": (
        "item.json",
        lambda path: candidate(json.loads(path.read_bytes()), (3, 40, 4, 41), "https://api"),
        _json_file(_FOUND),
    ),
    "log of a batch": ("batch.jsonl", lambda path: failures_in(path.parent), _json_file(_LOG)),
    "journal": (".a.tif.journal", _carried_out, _json_file(_JOURNAL)),
    "split list": (
        "split.csv",
        lambda path: read_split(str(path)),
        st.text(st.sampled_from('pst,1\n"\r\0 #testrainval') | st.characters()).map(
            lambda text: ("name,split\n" + text).encode("utf-8", "replace")
        ),
    ),
    "split draw": (
        "split.toml",
        lambda path: read_split(str(path)),
        _toml_file("train val test seed season spring places"),
    ),
    "product annotation": (
        "a.xml", lambda path: read_annotation(path.read_bytes(), "a.xml"), _xml_file(_ANNOTATION)
    ),
    "calibration": (
        "c.xml", lambda path: read_calibration(path.read_bytes(), "c.xml"), _xml_file(_ANNOTATION)
    ),
    "noise": ("n.xml", lambda path: read_noise(path.read_bytes(), "n.xml"), _xml_file(_ANNOTATION)),
    "manifest": ("m.xml", lambda path: relative_orbit(path.read_bytes()), _xml_file(_ANNOTATION)),
    "product metadata": (
        "m.xml", lambda path: product_metadata(path.read_bytes(), "m.xml"), _xml_file(_METADATA)
    ),
    "tile metadata": (
        "t.xml", lambda path: sun_azimuth_deg(path.read_bytes(), "t.xml"), _xml_file(_METADATA)
    ),
    "pickle": ("w.pth", read_tensors, _bytes_file(b"\x80\x02", b"\x80\x02}q\x00", b"PK\x03\x04")),
    "safetensors": (
        "w.safetensors", read_tensors, _bytes_file(b"", b'\x08\0\0\0\0\0\0\0{"a":{}}')
    ),
    "HDF5": ("w.h5", read_tensors, _bytes_file(b"\x89HDF\r\n\x1a\n")),
    "NPZ": ("a.npz", read_arrays, _bytes_file(b"PK\x03\x04", b"\x93NUMPY\x01\x00")),
}  # fmt: skip


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the files that are drawn."""
    return tmp_path_factory.mktemp("doors")


def _refusal(name: str, place: Path, content: bytes) -> str:
    """What a reader says of a file; empty if it takes it. Any other error ends the test."""
    file, read, _ = DOORS[name]
    (place / file).write_bytes(content)
    try:
        read(place / file)
    except CloudfreeError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", DOORS)
@settings(max_examples=SHORT)
@given(data=st.data())
def test_a_reader_of_anything(name: str, place: Path, data: st.DataObject) -> None:
    assert _refusal(name, place, data.draw(DOORS[name][2])).isprintable()


@pytest.mark.slow
@pytest.mark.parametrize("name", DOORS)
@settings(max_examples=LONG)
@given(data=st.data())
def test_a_reader_of_hundreds_of_things(name: str, place: Path, data: st.DataObject) -> None:
    assert _refusal(name, place, data.draw(DOORS[name][2])).isprintable()
