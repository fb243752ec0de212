"""Scenes of folders and lists, and the radar that sees their ground."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudfree.commands.batch.scenes import (
    ScenePair,
    read_scene_list,
    scenes_below,
    scenes_of_items,
    with_radar,
)
from cloudfree.commands.radars import radars_below
from cloudfree.errors import ErrorCode, InputError
from cloudfree.raster.reach import remote_allowed
from tests.factories import sentinel1_products as sentinel1
from tests.factories import sentinel2_products as sentinel2
from tests.factories.rasters import write_cloudy_scene
from tests.factories.stac_items import item


def test_a_collection_has_the_scenes_of_its_sentinel_2_items(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    items = [item("S2B_1.5", "2022-06-05T10:50:31Z"),
             item("S1A", "2022-06-06T17:40:00Z", sensor="sentinel-1")]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    assert scenes_of_items(path) == [ScenePair("S2B_1.5", Path(f"{path}#S2B_1.5"))]


def test_a_list_may_name_addresses(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "s2,s1,name\nhttps://host/items/S2B,/vsis3/bucket/s1.tif,\nitems.json#S2A,,june\n"
    )
    with remote_allowed(True):
        assert read_scene_list(path) == [
            ScenePair("S2B", Path("https://host/items/S2B"), Path("/vsis3/bucket/s1.tif")),
            ScenePair("june", Path(f"{tmp_path}/items.json#S2A")),
        ]
    with pytest.raises(InputError) as refused:
        read_scene_list(path)
    assert refused.value.code is ErrorCode.NOT_ALLOWED
    assert str(refused.value) == (
        "list.csv names https://host/items/S2B, which lies elsewhere; wanted inputs whose files "
        "lie in their own folder; copy the files there, or add --allow-remote where you trust the "
        "input"
    )


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("/data/b.tif", True), ("../b.tif", True), ("/vsizip/a.zip/b.tif", True),
        ("/vsizip//data/a.zip/b.tif", True), ("/vsizip/{/data/a.zip}/b.tif", True),
        ("/vsizip//vsicurl/http://host/a.zip/b.tif", False), ("/vsicurl?url=http://host", False),
        ("/vsisubfile/0_9,/data/b.tif", False), ("/vsistdin/", False), ("gs://bucket/b", False),
        ("http:/host/b.tif", False), ("/vsizip/https://host/b.zip/b.tif", False),
    ],
)  # fmt: skip
def test_a_list_names_files_anywhere_here_and_none_in_a_network(
    tmp_path: Path, name: str, allowed: bool
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f's2\n"{name}"\n')
    if allowed:
        assert len(read_scene_list(path)) == 1
    else:
        with pytest.raises(InputError, match=r"list\.csv names .* elsewhere; .*--allow-remote"):
            read_scene_list(path)


def _touched(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _found(folder: Path) -> dict[str, tuple[str, str | None]]:
    """Scenes by name, as paths below the folder."""
    return {
        pair.name: (
            pair.s2.relative_to(folder).as_posix(),
            pair.s1.relative_to(folder).as_posix() if pair.s1 else None,
        )
        for pair in scenes_below(folder)
    }


def test_rasters_are_matched_by_their_names(tmp_path: Path) -> None:
    _touched(tmp_path, "May_s2.tif", "May_s1.tif", "June_S2.TIFF", "2022/a/s2.tif", "2022/a/s1.tif")
    assert _found(tmp_path) == {
        "2022_a": ("2022/a/s2.tif", "2022/a/s1.tif"),
        "June": ("June_S2.TIFF", None),
        "May": ("May_s2.tif", "May_s1.tif"),
    }


def test_where_nothing_is_named_so_every_raster_that_may_be_a_scene_is_one(tmp_path: Path) -> None:
    others = ["April_cloudfree.tif", "April_cloudfree_filled.tif", "scl.tif", "S1_0405.tif"]
    _touched(tmp_path, "April.tif", "old/March.tif", "L2A/R10m/T31_20210424_B02_10m.jp2", *others)
    found = {"April": "April.tif", "old_March": "old/March.tif", "L2A": "L2A"}
    assert _found(tmp_path) == {name: (path, None) for name, path in found.items()}
    _touched(tmp_path, "May_s2.tif")
    assert _found(tmp_path) == {"May": ("May_s2.tif", None)}


def test_the_scene_of_a_folder_itself_is_called_like_it(tmp_path: Path) -> None:
    _touched(tmp_path, "s2.tif", "s1.tif")
    assert _found(tmp_path) == {tmp_path.name: ("s2.tif", "s1.tif")}


def test_scenes_of_a_data_set_and_of_simulate_are_scenes(tmp_path: Path) -> None:
    _touched(tmp_path, "7_s2_cloudy.tif", "7_s1.tif", "7_s2_clear.tif", "a/s2_cloudy.tif")
    _touched(tmp_path, "both_s2.tif", "both_s2_cloudy.tif")
    assert _found(tmp_path) == {
        "7": ("7_s2_cloudy.tif", "7_s1.tif"),
        "a": ("a/s2_cloudy.tif", None),
        "both": ("both_s2.tif", None),
    }


def test_dates_in_one_folder_are_matched_by_their_day(tmp_path: Path) -> None:
    _touched(
        tmp_path, "s2_20220605.tif", "s1_20220605.tif", "s2_2022-06-15.tif", "s1_20220615.tif",
        "a/s2_cloudy_20220605.tif", "field_s2_20220605.tif", "s2_1.tif",
    )  # fmt: skip
    assert _found(tmp_path) == {
        "20220605": ("s2_20220605.tif", "s1_20220605.tif"),
        "2022-06-15": ("s2_2022-06-15.tif", None),
        "a_20220605": ("a/s2_cloudy_20220605.tif", None),
        "field_20220605": ("field_s2_20220605.tif", None),
    }


def test_earlier_dates_of_simulate_are_scenes_and_their_truth_is_none(tmp_path: Path) -> None:
    _touched(tmp_path, "s2_cloudy.tif", "s2_clear.tif", "s1.tif")
    _touched(tmp_path / "earlier", "s2_20210414.tif", "s1_20210414.tif")
    _touched(tmp_path / "earlier" / "truth", "clear_20210414.tif", "mask_20210414.tif")
    assert _found(tmp_path) == {
        "earlier_20210414": ("earlier/s2_20210414.tif", "earlier/s1_20210414.tif"),
        tmp_path.name: ("s2_cloudy.tif", "s1.tif"),
    }


def test_results_and_hidden_folders_are_no_scenes(tmp_path: Path) -> None:
    _touched(
        tmp_path, "s2_cloudfree.tif", "s2_cloudfree_filled.tif", "s2_mask.tif", "s1.tif",
        "s1_coregistered.tif", "s2_clear.tif", "notes.txt", ".trash/a_s2.tif",
    )  # fmt: skip
    assert _found(tmp_path) == {}


def test_a_product_that_is_there_packed_and_unpacked_is_one(tmp_path: Path) -> None:
    scene, radar = sentinel2.Safe().name, sentinel1.NAME
    _touched(tmp_path, f"{scene}.zip", f"{scene}.SAFE/a", f"a/{radar}.SAFE/a", f"b/{radar}.zip")
    assert _found(tmp_path) == {scene: (f"{scene}.SAFE", None)}
    assert radars_below(tmp_path) == [tmp_path / "a" / f"{radar}.SAFE"]


def test_products_are_not_looked_into(tmp_path: Path) -> None:
    _touched(tmp_path, f"{sentinel1.NAME}.SAFE/x_s2.tif", f"odd.SAFE/{sentinel1.NAME}.zip")
    assert _found(tmp_path) == {}
    assert radars_below(tmp_path) == [tmp_path / f"{sentinel1.NAME}.SAFE"]


def _list(folder: Path, text: str) -> Path:
    path = folder / "scenes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_to_the_list(tmp_path: Path) -> None:
    path = _list(tmp_path, "s2, s1, mask, name\nx/l1c.tif, /data/s1.tif, m.tif, May\n")
    (pair,) = read_scene_list(path)
    assert pair == ScenePair(
        "May", tmp_path / "x/l1c.tif", Path("/data/s1.tif"), tmp_path / "m.tif"
    )


def test_a_scene_is_called_as_its_file_or_its_folder(tmp_path: Path) -> None:
    rows = read_scene_list(_list(tmp_path, "name,s2,s1\n,x/s2.tif,\n ,y/l1c.tif,x/s1.tif\n"))
    assert [(row.name, row.s1) for row in rows] == [("x", None), ("l1c", tmp_path / "x/s1.tif")]


def test_the_mark_of_a_spreadsheet_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    (pair,) = read_scene_list(_list(tmp_path, "\ufeffs2\na.tif\n"))
    assert pair.s2 == tmp_path / "a.tif"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "has no column s2"),
        ("S2,s1\na,b\n", "has no column s2"),
        ("s2,radar\na,b\n", "has a column 'radar'"),
        ("s2,s1\na,b\n,c\n", "names no s2 in line 3"),
        ("s2\na,b\n", "has more fields than columns in line 2"),
        ("s2\na\0b.tif\n", r"has 'a\\x00b.tif' as s2 in line 2"),
        ('s2,name\na.tif,"b\nc"\n', r"has 'b\\nc' as name in line 2"),
        ("s2,s1\na.tif,\x1b[31m\n", r"has '\\x1b\[31m' as s1 in line 2"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(InputError, match=f"scenes.csv {found}; wanted a CSV file with the columns"):
        read_scene_list(_list(tmp_path, text))


def test_a_raster_is_no_list(tmp_path: Path) -> None:
    path = tmp_path / "scene.tif"
    path.write_bytes(b"II*\x00\xff\xfe")
    with pytest.raises(InputError, match=r"scene\.tif is no table"):
        read_scene_list(path)


SCENE = sentinel2.Safe()  # of 5 June 2022


def _matched(folder: Path) -> Path | None:
    """The radar of the only scene of a folder."""
    (scene,) = scenes_below(folder)
    return with_radar(scene, radars_below(folder), 30).s1


def _radar(folder: Path, day: str, east_m: float = 0.0) -> Path:
    """A product of that day, which covers the scene where it is not moved."""
    name = sentinel1.NAME.replace("20210424", day)
    corner = (sentinel2.CORNER[0] - 500 + east_m, sentinel2.CORNER[1] + 500)
    scene = sentinel1.level_scene(200, 200, 0.1, corner_m=corner, name=name)
    return sentinel1.write_safe(folder, scene)


def test_of_several_radars_the_nearest_in_time_that_covers_the_scene_is_taken(
    tmp_path: Path,
) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    _radar(tmp_path, "20220605", east_m=50_000)
    _radar(tmp_path / "half", "20220604", east_m=740)
    taken = _radar(tmp_path / "deep" / "down", "20220601")
    _radar(tmp_path, "20220612")
    assert _matched(tmp_path) == taken


def test_where_none_covers_the_scene_the_one_that_covers_most_is_taken(tmp_path: Path) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    _radar(tmp_path, "20220605", east_m=860)
    taken = _radar(tmp_path, "20220601", east_m=740)
    assert _matched(tmp_path) == taken


def test_a_radar_of_another_season_or_another_place_is_none(tmp_path: Path) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    _radar(tmp_path, "20220701", east_m=50_000)
    _radar(tmp_path, "20220801")
    assert _matched(tmp_path) is None


def test_a_raster_without_its_own_radar_gets_a_product(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_cloudy_scene(tmp_path / "field_s2.tif", 48, 48)
    radar = _radar(tmp_path, "20220605")
    assert _matched(tmp_path) == radar
    assert not caplog.messages, "warnings on a scene are logged when its turn comes"


def test_what_cannot_be_opened_has_no_radar_yet(tmp_path: Path) -> None:
    (tmp_path / "broken_s2.tif").touch()
    (_radar(tmp_path, "20220605") / "manifest.safe").unlink()
    _radar(tmp_path, "20220606")
    assert _matched(tmp_path) is None


def test_a_product_that_cannot_be_opened_sees_nothing(tmp_path: Path) -> None:
    sentinel2.write_safe(tmp_path, SCENE)
    sentinel1.without(_radar(tmp_path, "20220605"), "annotation")
    sentinel1.without(_radar(tmp_path, "20220606"), "measurement")
    taken = _radar(tmp_path, "20220610")
    assert _matched(tmp_path) == taken


def test_a_scene_keeps_the_radar_that_it_has(tmp_path: Path) -> None:
    pair = ScenePair("x", tmp_path / "s2.tif", tmp_path / "s1.tif")
    assert with_radar(pair, [_radar(tmp_path, "20220605")], 30) is pair


def test_the_mask_of_the_product_is_named_by_a_word(tmp_path: Path) -> None:
    (pair,) = read_scene_list(_list(tmp_path, "s2,mask\na.tif, scl\n"))
    assert pair.mask == "scl"
