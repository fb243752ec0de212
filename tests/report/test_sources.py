"""The files of a result: found, moved, broken, unfit."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.grid import Window
from cloudfree.errors import InputError
from cloudfree.raster.reach import remote_allowed
from cloudfree.report.sources import open_sources
from cloudfree.sentinel1.geocoded import SarScene
from tests.factories.range_server import Served, counted_bytes
from tests.factories.rasters import TEN_METRES, cloudy_scene, write_cloudy_scene, write_raster
from tests.factories.results import reference_tags, write_result


def test_a_result_with_everything_beside_it_misses_nothing(tmp_path: Path):
    fake = write_result(tmp_path)
    with open_sources(fake.result, fake.truth) as sources:
        assert sources.missing == ()
        opened = (sources.before, sources.sar, sources.mask, sources.filled, sources.truth)
        paths = (fake.s2, fake.s1, fake.mask, fake.filled, fake.truth)
        assert tuple(source.path for source in opened) == paths


@pytest.mark.parametrize(
    ("file", "field", "what"),
    [
        ("s2", "before", "the cloudy scene was not found: l1c.tif"),
        ("s1", "sar", "the Sentinel-1 scene was not found: l1c_s1.tif"),
        ("mask", "mask", "the cloud mask was not found: l1c_mask.tif"),
        ("filled", "filled", "the mask of filled pixels was not found: l1c_cloudfree_filled.tif"),
    ],
)
def test_a_moved_file_is_missed_by_name_and_the_others_stay(tmp_path, file, field, what):
    fake = write_result(tmp_path)
    getattr(fake, file).unlink()
    with open_sources(fake.result, None) as sources:
        assert sources.missing == (what,)
        fields = {name: getattr(sources, name) for name in ("before", "sar", "mask", "filled")}
    assert [name for name, source in fields.items() if source is None] == [field]


@pytest.mark.parametrize("kept", [True, False])
def test_the_radar_is_opened_with_the_heights_that_corrected_it(tmp_path, monkeypatch, kept):
    fake = write_result(tmp_path, CLOUDFREE_DEM="dem.tif")
    dem = write_raster(tmp_path / "dem.tif", np.zeros((1, 9, 9), np.float32), ["height"])
    if not kept:
        dem.unlink()
    asked = []

    def opened(path: Path, units: str, heights: Path | None) -> SarScene:
        asked.append((units, heights))
        return SarScene(path, units)

    monkeypatch.setattr("cloudfree.sentinel1.mosaic.open_sar_source", opened)
    with open_sources(fake.result, None) as sources:
        assert sources.missing == (() if kept else ("the elevation model was not found: dem.tif",))
    assert asked == [("auto", dem if kept else None)]


def test_a_broken_file_is_named_and_left_out(tmp_path: Path):
    fake = write_result(tmp_path)
    fake.s2.write_bytes(b"no raster")
    with open_sources(fake.result, None) as sources:
        assert sources.before is None
        assert "the cloudy scene is left out" in sources.missing[0]


def test_a_mask_that_was_not_kept_is_not_missed(tmp_path: Path):
    fake = write_result(tmp_path, CLOUDFREE_MASK=None)
    with open_sources(fake.result, None) as sources:
        assert (sources.mask, sources.missing) == (None, ())


def test_paths_are_relative_to_the_result(tmp_path: Path):
    fake = write_result(tmp_path / "out", CLOUDFREE_S2="../in/l1c.tif")
    (tmp_path / "in").mkdir()
    fake.s2.rename(tmp_path / "in" / "l1c.tif")
    with open_sources(fake.result, None) as sources:
        assert sources.before is not None


def test_other_dates_are_opened_in_their_order_each_with_its_own_offset(tmp_path: Path) -> None:
    may = write_cloudy_scene(tmp_path / "may.tif", 48, 64)
    newer = cloudy_scene(48, 64)[0] + np.uint16(1000)
    tags = {"CLOUDFREE_OFFSET_DN": "-1000"}
    dates = [may, write_raster(tmp_path / "june.tif", newer, OPTICAL_BANDS, **tags)]
    fake = write_result(tmp_path, **reference_tags(dates))
    with open_sources(fake.result, None) as sources:
        assert sources.missing == ()
        assert [one.number for one in sources.references] == [1, 2]
        assert [one.scene.path for one in sources.references] == dates
        assert [one.scene.offset.offset_dn for one in sources.references] == [0, -1000]


def test_a_date_that_is_gone_is_missed_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    dates = [write_cloudy_scene(tmp_path / name, 48, 64) for name in ("may.tif", "june.tif")]
    fake = write_result(tmp_path, **reference_tags(dates))
    dates[0].unlink()
    with open_sources(fake.result, None) as sources:
        assert sources.missing == ("reference 1 was not found: may.tif",)
        assert [(one.number, one.scene.path) for one in sources.references] == [(2, dates[1])]


def test_a_date_that_cannot_be_placed_or_has_no_colours_is_named(tmp_path: Path) -> None:
    nowhere = write_cloudy_scene(tmp_path / "nowhere.tif", 20, 20, crs=None)
    pixels = np.ones((2, 48, 64), np.uint16)
    grey = write_raster(tmp_path / "grey.tif", pixels, ["B08", "B11"])
    fake = write_result(tmp_path, **reference_tags([nowhere, grey]))
    with open_sources(fake.result, None) as sources:
        assert sources.references == ()
        unplaced, uncoloured = sources.missing
    assert unplaced.startswith("reference 1 is left out: nowhere.tif cannot be placed")
    assert uncoloured.startswith("reference 2 is left out: no band B04, B03, B02 in grey")


def test_a_truth_that_shows_less_is_refused(tmp_path: Path):
    fake = write_result(tmp_path)
    other = write_cloudy_scene(tmp_path / "other.tif", 40, 64)
    message = r"other.tif \(40 x 64\) does not lie on the grid of l1c_cloudfree.tif \(48 x 64\)"
    with pytest.raises(InputError, match=message), open_sources(fake.result, other):
        pass


def test_a_truth_without_a_band_is_refused(tmp_path: Path):
    fake = write_result(tmp_path)
    pixels = np.ones((12, 48, 64), np.uint16)
    other = write_raster(tmp_path / "other.tif", pixels, OPTICAL_BANDS[:12])
    message = r"no band B12 in other\.tif"
    with pytest.raises(InputError, match=message), open_sources(fake.result, other):
        pass


def test_a_mask_is_read_as_remove_has_read_it(tmp_path: Path):
    """Probabilities with their threshold, grown as far."""
    tags = {"CLOUDFREE_MASK_THRESHOLD": "0.8", "CLOUDFREE_MASK_DILATE": "2px"}
    fake = write_result(tmp_path, **tags)
    with open_sources(fake.result, None) as sources:
        height, width = sources.after.grid.height, sources.after.grid.width
    pixels = np.full((1, height, width), 0.7, np.float32)
    pixels[0, 5, 5] = 0.9
    fake.mask.unlink()
    write_raster(fake.mask, pixels, ["probability"])
    with open_sources(fake.result, None) as sources:
        assert sources.missing == ()
        assert sources.mask is not None
        assert np.flatnonzero(sources.mask.counts()).tolist() == [0, 1]
        assert sources.mask.counts()[1] == 13


def test_a_mask_in_an_archive_is_found(tmp_path: Path):
    """As the scene classification of a zipped product."""
    name = f"/vsizip/{{{tmp_path / 'product.zip'}}}/SCL.tif"
    fake = write_result(tmp_path, CLOUDFREE_MASK=name)
    with zipfile.ZipFile(tmp_path / "product.zip", "w") as archive:
        archive.write(fake.mask, "SCL.tif")
    with open_sources(fake.result, None) as sources:
        assert sources.missing == ()
        assert sources.mask is not None


def test_the_inputs_of_a_part_are_cut_to_it(tmp_path: Path):
    """A result of an area; its scene and its mask, without coordinates, are whole."""
    fake = write_result(tmp_path)
    part = Window(4, 10, 32, 40)
    with rasterio.open(fake.result) as whole:
        tags, pixels = whole.tags(), whole.read()[:, *part.slices]
    corner = TEN_METRES @ Affine.translation(part.col, part.row)
    write_raster(fake.result, pixels, OPTICAL_BANDS, transform=corner, nodata=0, **tags)
    with rasterio.open(fake.mask) as mask:
        classes = mask.read()
    write_raster(fake.mask, classes, ["mask"], crs=None, nodata=255)
    with open_sources(fake.result, fake.truth) as sources:
        assert "filled" in " ".join(sources.missing)  # the one file that is of the whole scene
        assert len(sources.missing) == 1
        for scene in (sources.before, sources.truth):
            assert scene.part == part
        seen = sources.before.native(sources.before.grid.window)
        assert (seen[:, 20:] == pixels[:, 20:]).any()
        np.testing.assert_array_equal(sources.mask.classes(sources.after.grid.window),
                                      classes[0][part.slices])  # fmt: skip


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The cloudy scene of another result, on a server that counts the bytes it sends."""
    with counted_bytes(write_result(tmp_path_factory.mktemp("elsewhere")).s2) as served:
        yield served


def write_vrt(path: Path, source: Path) -> None:
    """A raster that holds no pixels but names the file that does."""
    band = (
        f'<VRTRasterBand dataType="UInt16" band="1"><SimpleSource><SourceFilename>{source}'
        "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
    )
    path.write_text(f'<VRTDataset rasterXSize="64" rasterYSize="48">{band}</VRTDataset>')


@pytest.mark.parametrize(
    ("tag", "what"),
    [("S2", "the cloudy scene"), ("S1", "the Sentinel-1 scene"), ("MASK", "the cloud mask"),
     ("FILLED", "the mask of filled pixels"), ("UNCERTAINTY", "the file of standard deviations")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["x.vrt", "x.tif", "on the network"])
@pytest.mark.parametrize("allowed", [False, True], ids=["", "--allow-remote"])
def test_what_tags_name_is_opened_only_if_it_is_a_raster_on_this_computer(
    tmp_path: Path, elsewhere: Served, tag: str, what: str, name: str, allowed: bool
) -> None:
    named = str(elsewhere.path) if name == "on the network" else name
    fake = write_result(tmp_path, **{f"CLOUDFREE_{tag}": named})
    write_vrt(tmp_path / "x.vrt", elsewhere.path)
    write_vrt(tmp_path / "x.tif", elsewhere.path)
    with remote_allowed(allowed), open_sources(fake.result, None) as sources:
        (missing,) = sources.missing
    assert missing.startswith(f"{what} is left out: ")
    assert missing.endswith("is no raster on this computer that holds its own pixels")
    assert elsewhere.count == 0


def test_a_name_that_no_disk_has_is_named_as_missing(tmp_path: Path) -> None:
    fake = write_result(tmp_path, CLOUDFREE_S1="x" * 5000)
    with open_sources(fake.result, None) as sources:
        assert sources.missing == (f"the Sentinel-1 scene was not found: {'x' * 5000}",)


def test_a_date_or_an_item_that_leads_to_the_network_is_left_out(
    tmp_path: Path, elsewhere: Served
) -> None:
    write_vrt(tmp_path / "may.vrt", elsewhere.path)
    bands = {"href": str(elsewhere.path).removeprefix("/vsicurl/"), "eo:bands": [{"name": "B04"}]}
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": "june", "geometry": None, "links": [],
        "properties": {"datetime": "2021-06-01T00:00:00Z"}, "assets": {"B04": bands},
    }  # fmt: skip
    (tmp_path / "june.json").write_text(json.dumps(item))
    dates = [tmp_path / "may.vrt", tmp_path / "june.json"]
    fake = write_result(tmp_path, **reference_tags(dates))
    with open_sources(fake.result, None) as sources:
        assert sources.references == ()
        assert [text.split(":")[0] for text in sources.missing] == [
            "reference 1 is left out", "reference 2 is left out"
        ]  # fmt: skip
    assert elsewhere.count == 0


def test_a_result_that_names_another_file_is_refused(tmp_path: Path, elsewhere: Served) -> None:
    fake = write_result(tmp_path)
    write_vrt(fake.result, elsewhere.path)
    with (
        pytest.raises(InputError, match=r"l1c_cloudfree\.tif is no raster on this computer"),
        open_sources(fake.result, None),
    ):
        pass
    assert elsewhere.count == 0
