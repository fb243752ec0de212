"""Whole files of each format in a folder, made by code, as small as the commands take them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from affine import Affine
from onnx import TensorProto, helper

from cloudfree.commands.models.check import GOLDEN
from cloudfree.core.bands import OPTICAL_BANDS
from cloudfree.inference.checkpoint import build_network
from cloudfree.inference.model_card import ModelCard, card_entries_of, model_card
from cloudfree.inference.model_store import write_folder
from cloudfree.inference.onnx_runtime import CARD_KEY
from cloudfree.inference.registry import card_entries
from tests.factories import sentinel1_products as s1
from tests.factories import sentinel2_products as s2
from tests.factories import stac_items
from tests.factories.checkpoints import save_checkpoint
from tests.factories.networks import lively
from tests.factories.rasters import write_cloudy_scene, write_radar, write_raster
from tests.factories.sample_folders import write_triplet
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
