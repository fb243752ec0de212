"""Whole files of each format in a folder, made by code, as small as the commands take them."""

from __future__ import annotations

import dataclasses
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import onnx
import rasterio
import torch
from affine import Affine
from onnx import TensorProto, helper

from cloudfree.commands.models.check import GOLDEN
from cloudfree.core.acquisition import Acquisition
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.core.displacement import PolynomialDisplacement, Shift
from cloudfree.core.journal import Journal
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.model_card import ModelCard, card_entries_of, model_card
from cloudfree.inference.model_store import write_folder
from cloudfree.inference.onnx_runtime import CARD_KEY
from cloudfree.inference.registry import card_entries
from cloudfree.raster.parts import Parts
from cloudfree.raster.provenance import Provenance
from cloudfree.raster.used_reference import UsedReference
from tests.factories import sentinel1_products as s1
from tests.factories import sentinel2_products as s2
from tests.factories import stac_items
from tests.factories.checkpoints import save_checkpoint
from tests.factories.dates_of_a_place import write_date
from tests.factories.left_drafts import left_by_another_process
from tests.factories.networks import lively
from tests.factories.rasters import write_cloudy_scene, write_radar, write_raster
from tests.factories.results import write_result
from tests.factories.sample_folders import write_triplet
from tests.factories.stac_items import item
from tests.factories.stac_server import ADDRESS, landing_page
from tests.factories.time_series import SERIES_TEST, write_time_series
from tests.inference.test_keras import write as write_layers

SIDE = 48
_SETTINGS = {"features": 8, "blocks": 1}

# The training whose run is damaged, in a folder with `data`.
TRAIN = ("train", "dsen2_cr", "--data", "data", "-o", "out/run", "--device", "cpu",
         "--s2-offset", "0", "--batch-size", "1", "--crop", "32")  # fmt: skip
SMALL = ("--network-setting", "blocks=1", "--network-setting", "features=8")


def write_optical(folder: Path) -> None:
    write_cloudy_scene(folder / "s2.tif", SIDE, SIDE)


def write_pair(folder: Path) -> None:
    write_optical(folder)
    write_radar(folder / "s1.tif", SIDE, SIDE)


def write_grd(folder: Path) -> None:
    scene = s1.level_scene(SIDE + 30, SIDE + 30, 0.1)
    s1.write_safe(folder, scene).rename(folder / "s1.SAFE")
    easting, northing = s1.ground_of(np.array(30.0), np.array(20.0))
    corner = Affine(10, 0, float(easting), 0, -10, float(northing))
    write_cloudy_scene(folder / "s2.tif", 24, 24, transform=corner)


def write_grd_zip(folder: Path) -> None:
    write_grd(folder)
    s1.zipped(folder / "s1.SAFE").rename(folder / "s1.zip")


def write_safe(folder: Path) -> None:
    s2.write_safe(folder, s2.Safe(baseline="05.11")).rename(folder / "s2.SAFE")


def write_safe_l2a(folder: Path) -> None:
    s2.write_safe(folder, s2.Safe(level="L2A", baseline="05.11")).rename(folder / "s2.SAFE")


def write_safe_zip(folder: Path) -> None:
    s2.write_zip(folder, s2.Safe(baseline="05.11")).rename(folder / "s2.zip")


def write_item(folder: Path) -> None:
    bands = s2.write_bucket(folder, s2.ground())
    files = {band: str((bands / f"{band}.jp2").relative_to(folder)) for band in OPTICAL_BANDS}
    gsd = {"gsd": 10, "proj:transform": [10, 0, 500000, 0, -10, 4500000],
           "raster:bands": [{"scale": 0.0001, "nodata": 0}]}  # fmt: skip
    more = {"s2:processing_baseline": "02.14", "sat:relative_orbit": 51, "view:sun_azimuth": 150.2,
            "sat:orbit_state": "descending",
            "s2:product_uri": f"{s2.Safe().name}.SAFE"}  # fmt: skip
    s2.write_stac(folder / "item.json", files, more, **gsd)


def write_radar_item(folder: Path) -> None:
    write_optical(folder)
    item = stac_items.radar_item(folder, "radar", "2022-06-05T06:00:00Z")
    (folder / "item.json").write_text(json.dumps(stac_items.local(item)))


def write_items(folder: Path) -> None:
    """A collection of one item of each sensor."""
    write_item(folder)
    radar = stac_items.radar_item(folder, "radar", "2022-06-05T06:00:00Z")
    items = [json.loads((folder / "item.json").read_text()), stac_items.local(radar)]
    collection = {"type": "FeatureCollection", "features": items}
    (folder / "items.json").write_text(json.dumps(collection))


def write_area(folder: Path) -> None:
    write_optical(folder)
    ring = [[3.0, 40.646], [3.005, 40.646], [3.005, 40.65], [3.0, 40.65], [3.0, 40.646]]
    polygon = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {}, "geometry": polygon}
    (folder / "area.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]})
    )


def write_list(folder: Path) -> None:
    write_pair(folder)
    (folder / "list.csv").write_text(
        's2,s1,mask,name\ns2.tif,s1.tif,,first\n s2.tif, s1.tif, ,"sec,ond"\n'
    )


def write_mask(folder: Path) -> None:
    write_pair(folder)
    classes = np.zeros((1, SIDE, SIDE), np.uint8)
    classes[0, 10:30, 10:30] = 1
    write_raster(folder / "m.tif", classes, ["mask"])


def write_probability_mask(folder: Path) -> None:
    write_pair(folder)
    rows = np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(1, SIDE, SIDE)
    write_raster(folder / "m.tif", rows, ["probability"])


def write_data(folder: Path) -> None:
    for number in range(2):
        write_triplet(folder / "data", f"p{number}", 32, seed=number)


def write_answers(folder: Path) -> None:
    """What a STAC API answers: its first page, two pages of scenes, and their radar."""
    scenes = [
        item("cloudy", "2022-06-05T10:50:31Z", **{"eo:cloud_cover": 70}),
        item("best", "2022-06-15T10:50:31Z", **{"eo:cloud_cover": 30.5}),
        item("clear", "2022-04-20T10:50:31Z", **{"eo:cloud_cover": 0}),
    ]
    radars = [item("radar", "2022-06-16T17:40:00Z", sensor="sentinel-1")]
    following = {"rel": "next", "method": "POST", "href": f"{ADDRESS}/search",
                 "body": {"token": 2, "collections": ["sentinel-2-l1c"]}}  # fmt: skip
    answers: dict[str, Any] = {"landing": landing_page(ADDRESS)}
    for name, items in (("scenes", scenes[:2]), ("later", scenes[2:]), ("radar", radars)):
        links = [following] if name == "scenes" else []
        answers[name] = {"type": "FeatureCollection", "features": items, "links": links}
    for name, answer in answers.items():
        (folder / f"{name}.json").write_text(json.dumps(answer))


def write_tagged_result(folder: Path) -> None:
    """A result of `remove` with every tag that there is, beside the files that they name."""
    paths = write_result(folder)
    write_cloudy_scene(folder / "june.tif", 48, 64)
    seen = datetime(2022, 6, 5, 10, 50, tzinfo=UTC)
    reference = UsedReference(path=PurePosixPath("june.tif"), acquired=seen, days=10.0,
                              shift=Shift(0.5, -0.25), shift_reason="reliable", shows=0.5,
                              share=0.25, error=0.0125, with_radar=True)  # fmt: skip
    made = Provenance(
        version="0.1.0", model="cloudfree-s", model_sha256="9f86d0", model_license="Apache-2.0",
        s2=PurePosixPath(paths.s2.name), s1=PurePosixPath(paths.s1.name), mask_dilate="40m",
        mask=PurePosixPath(paths.mask.name), mask_threshold=0.5, s1_units="db (values)",
        filled=PurePosixPath(paths.filled.name), used_mask=PurePosixPath(paths.mask.name),
        s2_offset=0.0, gap_days=1.5,
        shift=PolynomialDisplacement(1, ((0.4, 0.1), (0.0, 0.1), (0.1, 0.0)), 48, 64),
        shift_model="affine", shift_reason="reliable", shift_measured=Shift(0.4, 0.1),
        shift_applied=True, shift_reliability=0.9, adapted="yes", adapted_gain_db=0.5,
        adapted_share=0.5, s1_acquisition=Acquisition("S1A", "Sentinel-1A", seen, "descending", 22),
        parts=Parts(0.4, 0.01, 0.02, 0.01), references=(reference,),
        warnings=("one", "two"),
    )  # fmt: skip
    with rasterio.open(paths.result, "r+") as dataset:
        dataset.update_tags(**made.to_tags())


def write_log(folder: Path) -> None:
    """The log of a batch of which one scene failed, beside the result of another."""
    write_result(folder)
    filled = {"name": "l1c", "ended": "2026-01-02T03:04:05+00:00", "state": "filled"}
    failed = {**filled, "name": "other", "state": "failed", "code": "no_data", "message": "none"}
    text = "".join(json.dumps({**one, "attempts": 1}) + "\n" for one in (filled, failed))
    (folder / "batch.jsonl").write_text(text)


def write_journal(folder: Path) -> None:
    """A mask and its style that a killed process has half renamed, beside files of others."""
    write_mask(folder)
    out = folder / "out"
    out.mkdir()
    for name in ("keep.tif", "keep.txt", "a.qml", "a.tif.aux.xml"):
        (out / name).write_text("old")
    drafts = left_by_another_process(out / "a.tif")
    shutil.copy(folder / "m.tif", out / "a.tif")
    (folder / "m.tif").rename(drafts / "a.tif")
    (drafts / "a.qml").write_text("<qgis/>")
    files = Journal(drafts.name, ("a.qml", "a.tif"), ("a.tif.aux.xml",), replaces=True)
    files.begin(out)


def _write_scored_model(folder: Path) -> None:
    write_folder(_network(), _card(), folder / "model")


def write_scored_data(folder: Path) -> None:
    """A data set of three patches, and a model to score on them."""
    _write_scored_model(folder)
    for number in range(3):
        write_triplet(folder / "data", f"p{number}", 32, seed=number)


def write_scored_series(folder: Path) -> None:
    """A data set of three dates of one patch, named as in SEN12MS-CR-TS, and a model."""
    _write_scored_model(folder)
    write_time_series(folder / "data", SERIES_TEST, (0.4, 0.0, 0.0), side=32)


def write_dates(folder: Path) -> None:
    """Two clear dates of a place, and one below a cloud."""
    bands = ("B02", "B03", "B04", "B08")
    for day in ("0301", "0310"):
        write_date(folder / "place" / f"s2_2018{day}.tif", bands=bands)
    cloud = (slice(0, 64), slice(0, 64))
    write_date(folder / "place" / "s2_20180401.tif", cloud, bands=bands)


def write_split(folder: Path) -> None:
    """A list of the parts of a data set, and a draw."""
    write_scored_data(folder)
    (folder / "split.csv").write_text(
        '# by hand\nname,split\np0,test\np1,train\n"p2",val\n', encoding="utf-8"
    )
    (folder / "draw.toml").write_text("# by chance\ntrain = 1\nval = 1\ntest = 1\nseed = 3\n")


def write_settings(folder: Path) -> None:
    write_data(folder)
    (folder / "settings.toml").write_text(
        'loss = "l1"\noptimiser = "adamw"\nlearning_rate = 1e-3\nbetas = [0.9, 0.99]\n'
        'weight_decay = 0.01\nschedule = "cosine"\nfinal_rate = 1e-5\nwarmup_steps = 1\n'
        "steps = 1\nbatch_size = 1\ncrop = 16\naugment = true\nclip_norm = 1.0\n"
        'ema_decay = 0.9\nprecision = "fp32"\nseed = 1\nsimulate_clouds = 0.0\n'
        "[network_settings]\nblocks = 1\nfeatures = 8\n"
    )


def write_groups(folder: Path) -> None:
    write_data(folder)
    (folder / "groups.toml").write_text('north = ["p0"]\nsouth = ["p1"]\n')
    (folder / "groups.csv").write_text("name,place\np0,north\np1,south\n")


def write_run(folder: Path) -> None:
    """A training after its first step."""
    from cloudfree.cli.group import group

    write_data(folder)
    words = [str(folder / word) if word in ("data", "out/run") else word for word in TRAIN]
    (folder / "out").mkdir()
    group.main([*words, *SMALL, "--steps", "1", "-qq"], standalone_mode=False)


def _network() -> torch.nn.Module:
    network = lively(build_network("dsen2_cr", _SETTINGS))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(0.01)  # its image is nearly that which it sees
    return network


def _card(**own: Any) -> ModelCard:
    known = card_entries("dsen2_cr", _SETTINGS)
    return model_card({**known, "name": "m", "weights": "", "weights_sha256": "", **own})


def write_model(folder: Path) -> None:
    """A model with reference arrays, and a scene to fill."""
    write_pair(folder)
    network = _network()
    write_folder(network, _card(), folder / "model")
    draw = np.random.default_rng(0)
    inputs = {"opt": draw.random((1, 13, 32, 32), np.float32),
              "sar": draw.random((1, 2, 32, 32), np.float32)}  # fmt: skip
    with torch.inference_mode():
        outputs = network(*(torch.from_numpy(inputs[name]) for name in ("opt", "sar")))
    np.savez(folder / "model" / GOLDEN, **inputs, out=outputs["image"].numpy())


def write_safetensors(folder: Path) -> None:
    write_folder(_network(), _card(), folder / "m")
    (folder / "m" / "weights.safetensors").rename(folder / "w.safetensors")


def write_checkpoint(folder: Path) -> None:
    torch.save({"epoch": 3, "state_dict": _network().state_dict()}, folder / "w.pth")


def write_old_pickle(folder: Path) -> None:
    content = {"epoch": 3, "state_dict": _network().state_dict()}
    torch.save(content, folder / "w.pth", _use_new_zipfile_serialization=False)


def write_sidecar(folder: Path) -> None:
    save_checkpoint(folder, "uncrtaints").rename(folder / "w.pth")
    (folder / "conf.json").write_text(json.dumps({"scale_by": 10.0, "covmode": "diag"}))


def write_keras(folder: Path) -> None:
    state = _network().state_dict()
    order = list(dict.fromkeys(key.rpartition(".")[0] for key in state))
    layers = []
    for number, name in enumerate(order, start=1):
        kernel = state[f"{name}.weight"].numpy().transpose(2, 3, 1, 0)
        bias = state[f"{name}.bias"].numpy()
        own = f"conv2d_{number}"
        layers.append((own, {f"{own}/kernel:0": kernel, f"{own}/bias:0": bias}))
    write_layers(folder / "w.h5", layers)


def write_onnx(folder: Path) -> None:
    """A network that returns the optical image, with a card inside."""
    write_pair(folder)
    shapes = {"optical": ("batch", 13, "height", "width"), "sar": ("batch", 2, "height", "width")}
    inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()]
    output = helper.make_tensor_value_info("image", TensorProto.FLOAT, shapes["optical"])
    half = helper.make_tensor("half", TensorProto.FLOAT, (1, 13, 1, 1), [0.5] * 13)
    nodes = [helper.make_node("Mul", ["optical", "half"], ["image"])]
    graph = helper.make_graph(nodes, "g", inputs, [output], [half])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    entries = card_entries_of(dataclasses.replace(_card(), weights="m.onnx"))
    helper.set_model_props(model, {CARD_KEY: json.dumps(entries)})
    onnx.save(model, folder / "m.onnx")
