"""How GDAL names and reads files elsewhere."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from rasterio.env import Env, getenv, hasenv

from cloudfree.core.addresses import gdal_name_of, href_of
from cloudfree.core.grid import Window
from cloudfree.errors import InputError
from cloudfree.raster.dataset import Dataset
from cloudfree.raster.remote import access_to, is_remote
from tests.factories.rasters import cloudy_scene, write_cloudy_scene
from tests.factories.stac_server import stac_server


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("/vsicurl/http://host:80/b.tif", "/vsicurl/http://host:80/b.tif"),
        ("https://host/b.tif?sig=a&b", "/vsicurl/https://host/b.tif?sig=a&b"),
        ("s3://bucket/b.tif", "/vsis3/bucket/b.tif"),
        ("gs://bucket/b.tif", "/vsigs/bucket/b.tif"),
        ("/data/b.tif", "/data/b.tif"),
        ("data/b.tif", "data/b.tif"),
    ],
)
def test_a_path_opens_under_the_name_that_was_given(given: str, name: str) -> None:
    assert gdal_name_of(Path(given)) == name


@pytest.mark.parametrize(
    ("path", "href"),
    [
        ("/vsicurl/https:/host/b.tif", "https://host/b.tif"),
        ("/vsis3/bucket/b.tif", "s3://bucket/b.tif"),
        ("https:/host/items/a", "https://host/items/a"),
        ("../l1c.tif", "../l1c.tif"),
    ],
)
def test_links_have_addresses(path: str, href: str) -> None:
    assert href_of(PurePosixPath(path)) == href


def test_a_virtual_dataset_of_remote_files_is_remote() -> None:
    assert is_remote("<VRTDataset><SourceFilename>/vsicurl/https://a</SourceFilename>")
    assert not is_remote("/vsimem/a.tif")


def test_a_remote_raster_is_read_without_a_request_for_what_is_not_there(tmp_path: Path) -> None:
    write_cloudy_scene(tmp_path / "a.tif")
    with stac_server(tmp_path) as server:
        with Dataset(Path(f"/vsicurl/{server.address}/files/a.tif")) as file:
            seen = file.read([0, 12], Window(8, 8, 32, 32))
            assert file.handle.tags()
        requests = server.requests
    np.testing.assert_array_equal(seen, cloudy_scene(96, 96)[0][[0, 12], 8:40, 8:40])
    assert [status for _, _, status in requests if status == 404] == []
    assert len(requests) <= 4, requests


def _setting() -> object:
    return getenv().get("GDAL_DISABLE_READDIR_ON_OPEN") if hasenv() else None


def test_only_what_lies_in_a_network_is_read_without_its_side_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GDAL_DISABLE_READDIR_ON_OPEN", raising=False)
    with Env(), access_to("/data/b.tif"):
        assert _setting() is None
    with Env():
        with access_to("/vsizip//vsis3/bucket/a.zip/b.tif"):
            assert _setting() == "EMPTY_DIR"
        assert _setting() is None


def test_settings_of_the_user_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "TRUE")
    with Env(), access_to("/vsis3/bucket/b.tif"):
        assert _setting() is None


def test_an_error_has_the_address_that_was_given() -> None:
    with pytest.raises(InputError, match=r"^http://127\.0\.0\.1:9/a\.tif cannot be opened"):
        Dataset(Path("http://127.0.0.1:9/a.tif"))
