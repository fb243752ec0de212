"""The formats that are read, each with whole files, a way to damage them, and who reads them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import onnx
import torch

from tests.factories.stac_server import ADDRESS
from tests.fuzz import mutations as m
from tests.fuzz import whole_files as whole
from tests.fuzz.mutations import Mutator

_MASK = ("mask", "-o", "out/mask.tif", "--detector", "published")
_COREGISTER = ("coregister", "-o", "out/s1.tif", "--s2", "s2.tif", "--shift", "none", "--s1")
_REMOVE = ("remove", "-o", "out/r.tif", "--s2", "s2.tif")
_SCENE = (*_REMOVE, "--fill-by", "scene")
_BATCH = ("batch", "-o", "out", "--fill-by", "scene", "--dry-run")
_SHOW = ("models", "show")
_SEARCH = ("search", "--api", ADDRESS, "--bbox", "3.001,40.642,3.009,40.649", "--date",
           "2022-06-01/2022-06-30", "--s2-collection", "sentinel-2-l1c")  # fmt: skip
_REPORT = ("report", "-o", "out/page.html")
_EVALUATE = (
    "evaluate",
    "--data",
    "data",
    "--model",
    "model",
    "--device",
    "cpu",
    "--s2-offset",
    "0",
)
_SERIES = ("evaluate", "--series", "place", "--s2-offset", "0", "--limit", "1")
_LATER_MASK = ("mask", "--detector", "published", "--qml", "--overwrite", "s2.tif", "-o")

_JSON = m.one_of(m.of_json, m.of_json, m.of_text)
_XML = m.one_of(m.of_xml, m.of_xml, m.of_text)
_TOML = m.one_of(m.of_toml, m.of_toml, m.of_text)
_TIFF = m.one_of(m.of_tiff, m.of_tiff, m.of_tiff_values, m.of_head(400), m.of_bytes)


@dataclass(frozen=True)
class Format:
    """A format: `whole` writes files into a folder, of which one of `targets` is damaged.

    `targets` are patterns; `commands` are the command lines that read it.
    """

    name: str
    whole: Callable[[Path], None]
    targets: tuple[str, ...]
    mutate: Mutator
    commands: tuple[tuple[str, ...], ...]

    def target(self, folder: Path, draw: Random) -> Path:
        """The file that is damaged."""
        return draw.choice(sorted(folder.glob(draw.choice(self.targets))))


def of_onnx(content: bytes, draw: Random) -> bytes:
    """The card inside a network, the shape of an input, or any bytes."""
    kind = draw.randrange(4)
    if kind == 0:
        return m.of_bytes(content, draw)
    model = onnx.load_from_string(content)
    if kind == 1:
        axis = draw.choice(draw.choice(model.graph.input).type.tensor_type.shape.dim)
        axis.dim_value = draw.choice((0, 1, 2, 12, 2**31))
    elif kind == 2 and draw.random() < 0.3:
        model.graph.initializer[0].dims[1] = draw.choice((0, 1, 12, 2**31))
    else:
        text = model.metadata_props[0].value.encode()
        changed = m.of_json(text, draw) if draw.random() < 0.8 else m.of_bytes(text, draw)
        model.metadata_props[0].value = changed.decode("utf-8", "replace")
    return model.SerializeToString()


def of_saved(old: bool) -> Mutator:
    """What lies in a file of torch: tensors of another type or shape, and other things."""
    kinds: tuple[Callable[[torch.Tensor], Any], ...] = (
        lambda t: t.to(torch.float8_e4m3fn), lambda t: t.to(torch.complex64), lambda t: t.half(),
        lambda t: t.to_sparse(), lambda t: t.reshape(-1), lambda t: t.reshape(-1)[:0],
        lambda t: t.int(), lambda t: t.bool(), lambda t: t.double(),
        lambda t: t * float("nan"), lambda t: t[None],
        lambda t: torch.quantize_per_tensor(t.float(), 0.1, 0, torch.qint8),
        lambda t: t.to("meta"), lambda t: t.tolist(), lambda t: t.to(torch.bfloat16),
    )  # fmt: skip

    def mutated(content: bytes, draw: Random) -> bytes:
        saved = torch.load(io.BytesIO(content), weights_only=True)
        file = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if draw.random() < 0.6:
                tensors = list(_tensors(saved))
                holder, key = draw.choice(tensors)
                holder[key] = draw.choice(kinds)(holder[key])
            else:
                saved = m.of_entries(_plain(saved), draw)
            torch.save(saved, file, _use_new_zipfile_serialization=not old)
        return file.getvalue()

    return mutated


def _tensors(saved: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in saved.items():
        if isinstance(value, torch.Tensor):
            yield saved, key
        elif isinstance(value, dict):
            yield from _tensors(value)


def _plain(saved: Any) -> Any:
    return {k: _plain(v) for k, v in saved.items()} if isinstance(saved, dict) else saved


FORMATS = {
    one.name: one
    for one in (
        Format(
            "GeoTIFF, optical",
            whole.write_optical,
            ("s2.tif",),
            _TIFF,
            ((*_MASK, "s2.tif"), ("info", "s2.tif")),
        ),
        Format(
            "GeoTIFF, radar",
            whole.write_pair,
            ("s1.tif",),
            _TIFF,
            ((*_COREGISTER, "s1.tif"), (*_SCENE, "--s1", "s1.tif"), ("info", "s1.tif")),
        ),
        Format(
            "JP2",
            whole.write_safe,
            ("s2.SAFE/GRANULE/*/IMG_DATA/*.jp2",),
            m.one_of(m.of_head(200), m.of_bytes),
            ((*_MASK, "s2.SAFE"), ("info", "s2.SAFE")),
        ),
        Format(
            "SAFE XML of Sentinel-2",
            whole.write_safe,
            ("s2.SAFE/MTD*.xml", "s2.SAFE/GRANULE/*/MTD*.xml"),
            _XML,
            ((*_MASK, "s2.SAFE"), ("info", "s2.SAFE")),
        ),
        Format(
            "SAFE XML of Sentinel-2 L2A",
            whole.write_safe_l2a,
            ("s2.SAFE/MTD*.xml",),
            _XML,
            (("info", "s2.SAFE"),),
        ),
        Format(
            "SAFE zip of Sentinel-2",
            whole.write_safe_zip,
            ("s2.zip",),
            m.one_of(m.of_zip(m.of_text, ".xml"), m.of_bytes),
            (("info", "s2.zip"), (*_MASK, "s2.zip")),
        ),
        Format(
            "Sentinel-1 annotation",
            whole.write_grd,
            ("s1.SAFE/annotation/s1a*.xml",),
            _XML,
            ((*_COREGISTER, "s1.SAFE"), ("info", "s1.SAFE")),
        ),
        Format(
            "Sentinel-1 calibration and noise",
            whole.write_grd,
            ("s1.SAFE/annotation/calibration/*.xml",),
            _XML,
            ((*_COREGISTER, "s1.SAFE"),),
        ),
        Format(
            "Sentinel-1 manifest",
            whole.write_grd,
            ("s1.SAFE/manifest.safe",),
            _XML,
            (("info", "s1.SAFE"),),
        ),
        Format(
            "Sentinel-1 zip",
            whole.write_grd_zip,
            ("s1.zip",),
            m.one_of(m.of_zip(m.of_text, ".xml"), m.of_bytes),
            ((*_COREGISTER, "s1.zip"), ("info", "s1.zip")),
        ),
        Format(
            "STAC item of Sentinel-2",
            whole.write_item,
            ("item.json",),
            _JSON,
            (("info", "item.json"), (*_MASK, "item.json")),
        ),
        Format(
            "STAC item of Sentinel-1",
            whole.write_radar_item,
            ("item.json",),
            _JSON,
            ((*_COREGISTER, "item.json"),),
        ),
        Format(
            "STAC collection",
            whole.write_items,
            ("items.json",),
            _JSON,
            (("info", "items.json"), (*_BATCH, "items.json")),
        ),
        Format(
            "GeoJSON",
            whole.write_area,
            ("area.geojson",),
            _JSON,
            ((*_MASK, "s2.tif", "--aoi", "area.geojson"),),
        ),
        Format("CSV list", whole.write_list, ("list.csv",), m.of_text, ((*_BATCH, "list.csv"),)),
        Format(
            "answers of a STAC API",
            whole.write_answers,
            ("landing.json", "scenes.json", "scenes.json", "later.json", "radar.json"),
            m.one_of(_JSON, m.of_names),
            (_SEARCH, (*_SEARCH, "--references", "0")),
        ),
        Format(
            "tags of a result",
            whole.write_tagged_result,
            ("l1c_cloudfree.tif",),
            m.of_tags("CLOUDFREE_"),
            (
                (*_REPORT, "l1c_cloudfree.tif"),
                (*_REPORT, "l1c_cloudfree.tif", "--truth", "l1c_truth.tif"),
                (*_REPORT, "."),
            ),
        ),
        Format(
            "log of a batch",
            whole.write_log,
            ("batch.jsonl",),
            m.one_of(m.of_json_lines, m.of_text),
            ((*_REPORT, "."),),
        ),
        Format(
            "journal",
            whole.write_journal,
            ("out/.a.tif.journal",),
            m.one_of(_JSON, m.of_names, m.of_names),
            (
                (*_LATER_MASK, "out/a.tif"),
                (*_LATER_MASK, "out/b.tif"),
                (*_SCENE, "--s1", "s1.tif", "--mask", "out/a.tif"),
            ),
        ),
        Format(
            "data set of evaluate",
            whole.write_scored_data,
            ("data/*.tif",),
            _TIFF,
            (_EVALUATE, (*_EVALUATE, "--per-bin", "1", "--bins", "1")),
        ),
        Format(
            "time series of evaluate",
            whole.write_scored_series,
            ("data/**/*.tif",),
            _TIFF,
            ((*_EVALUATE, "--dates", "2", "--split", "all"),),
        ),
        Format("dates of a place", whole.write_dates, ("place/*.tif",), _TIFF, (_SERIES,)),
        Format(
            "split of a data set",
            whole.write_split,
            ("split.csv", "draw.toml"),
            m.of_text,
            tuple((*_EVALUATE, "--split", name) for name in ("split.csv", "draw.toml")),
        ),
        Format(
            "mask of classes",
            whole.write_mask,
            ("m.tif",),
            _TIFF,
            ((*_SCENE, "--s1", "s1.tif", "--mask", "m.tif"),),
        ),
        Format(
            "mask of probabilities",
            whole.write_probability_mask,
            ("m.tif",),
            _TIFF,
            ((*_SCENE, "--s1", "s1.tif", "--mask", "m.tif"),),
        ),
        Format(
            "training settings",
            whole.write_settings,
            ("settings.toml",),
            _TOML,
            ((*whole.TRAIN, "--settings", "settings.toml", "--steps", "1"),),
        ),
        Format(
            "groups of patches",
            whole.write_groups,
            ("groups.*",),
            m.of_text,
            tuple(
                (*whole.TRAIN, *whole.SMALL, "--groups", f"groups.{end}", "--steps", "1")
                for end in ("toml", "csv")
            ),
        ),
        Format(
            "settings of a run",
            whole.write_run,
            ("out/run/settings.toml",),
            _TOML,
            ((*whole.TRAIN, "--resume", "--steps", "2"),),
        ),
        Format(
            "checkpoint of a run",
            whole.write_run,
            ("out/run/checkpoint.pt",),
            m.one_of(of_saved(False), m.of_zip(m.of_bytes, "data.pkl"), m.of_bytes),
            ((*whole.TRAIN, "--resume", "--steps", "2"),),
        ),
        Format(
            "model card",
            whole.write_model,
            ("model/card.toml",),
            _TOML,
            (
                (*_SHOW, "model"),
                ("models", "check", "model"),
                (*_REMOVE, "--s1", "s1.tif", "--model", "model", "--fill-by", "network"),
            ),
        ),
        Format(
            "NPZ",
            whole.write_model,
            ("model/golden.npz",),
            m.one_of(m.of_zip(m.of_head(128)), m.of_bytes),
            (("models", "check", "model"),),
        ),
        Format(
            "safetensors",
            whole.write_safetensors,
            ("w.safetensors",),
            m.of_safetensors,
            ((*_SHOW, "w.safetensors"),),
        ),
        Format(
            "checkpoint",
            whole.write_checkpoint,
            ("w.pth",),
            m.one_of(of_saved(False), m.of_zip(m.of_bytes, "data.pkl"), m.of_bytes),
            ((*_SHOW, "w.pth"), ("models", "convert", "w.pth", "out/m")),
        ),
        Format(
            "old pickle",
            whole.write_old_pickle,
            ("w.pth",),
            m.one_of(of_saved(True), m.of_head(3000), m.of_bytes),
            ((*_SHOW, "w.pth"), ("models", "convert", "w.pth", "out/m")),
        ),
        Format(
            "configuration beside a checkpoint",
            whole.write_sidecar,
            ("conf.json",),
            m.one_of(m.of_json, m.of_text),
            ((*_SHOW, "w.pth"),),
        ),
        Format(
            "HDF5",
            whole.write_keras,
            ("w.h5",),
            m.one_of(m.of_head(3000), m.of_bytes),
            ((*_SHOW, "w.h5"),),
        ),
        Format(
            "ONNX",
            whole.write_onnx,
            ("m.onnx",),
            of_onnx,
            (
                (*_SHOW, "m.onnx"),
                (*_REMOVE, "--s1", "s1.tif", "--model", "m.onnx", "--fill-by", "network"),
            ),
        ),
    )
}
