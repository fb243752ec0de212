"""A path is enough: checkpoints of every published layout are recognised by their tensors."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cloudfree.errors import ModelError
from cloudfree.inference.checkpoint import build_network, identify, load_strictly, read_tensors
from cloudfree.inference.load import find_card, load_model
from cloudfree.inference.model import TileInputs
from cloudfree.inference.model_card import toml_text
from cloudfree.inference.model_store import sha256_of
from cloudfree.inference.registry import card_entries, network_names
from cloudfree.networks.glf_cr import VARIANTS
from cloudfree.networks.uncrtaints import UnCRtainTS

# Small members of every family, by the arguments of their classes.
SMALL = {
    "cloudfree_s": {"channels": [8, 8, 8], "blocks": [1, 2, 1], "sar_channels": 8, "heads": 2,
                    "memory": 3},
    "glf_cr": {"channels": 16, "blocks": 2, "layers": 2, "growth": 8, "heads": 4},
    "cloud_attentive": {"channels": 16, "blocks": 2, "layers": 2, "growth": 8},
    "ib_hfn": {"widths": [8, 16, 24], "optical_units": [1, 2, 3], "sar_units": [1, 1, 2],
               "bottleneck": 12, "bottom_units": 2, "up_units": 1},
    "sg_bafm_dfin": {"channels": 16, "token_channels": 32, "layers": 1, "base_blocks": 2,
                     "directional_blocks": 1},
    "uncrtaints": {"width": 32, "blocks": 2},
    "dsen2_cr": {"features": 8, "blocks": 2},
    "spa_gan": {"channels": 8, "optical_bands": 13, "output_bands": 13},
    "mcgan": {"channels": 4, "optical_bands": 13, "sar_bands": 2, "output_bands": 13},
    "simulation_fusion_gan": {"channels": 4},
    "sar_opt_cgan": {"channels": 4, "levels": 7},
    "sar2opt": {"channels": 4, "levels": 7},
}  # fmt: skip

VARIED = {
    **{variant: ("glf_cr", {**SMALL["glf_cr"], "variant": variant})
       for variant in VARIANTS
       if variant != "despeckled-sar" and not variant.startswith("cloud-attentive")},
    "as printed": ("cloud_attentive", {**SMALL["cloud_attentive"], "design": "printed"}),
    "uncrtaints mean": ("uncrtaints", {**SMALL["uncrtaints"], "variance": False, "scale_by": 1.0}),
    "uncrtaints residual": ("uncrtaints", {**SMALL["uncrtaints"], "block": "residual"}),
    "uncrtaints optical": ("uncrtaints", {**SMALL["uncrtaints"], "sar_bands": 0}),
    "uncrtaints dates": ("uncrtaints", {"width": 128, "blocks": 1, "multi_date": True}),
    "dsen2 optical": ("dsen2_cr", {**SMALL["dsen2_cr"], "sar_bands": 0}),
    "spa rgb": ("spa_gan", {"channels": 8}),
    "mcgan picture": ("mcgan", {"channels": 4}),
    "mcgan without matte": ("mcgan", {"channels": 4, "output_bands": 3}),
    "sg-bafm base": ("sg_bafm_dfin", {"channels": 16, "attention_fusion": False,
                                      "branch_integration": False}),
    "fusion without dropout": ("simulation_fusion_gan", {"channels": 4, "dropout": False}),
}  # fmt: skip

WRAPPERS = {
    "plain": lambda s: s,
    "network": lambda s: {"epoch": 3, "network": s},
    "parallel": lambda s: {"network": {f"module.{k}": v for k, v in s.items()}},
    "net_G": lambda s: {"model_state_dict": {f"net_G.{k}": v for k, v in s.items()}},
    "netG": lambda s: {"epoch": 1, "state_dict": {f"netG.{k}": v for k, v in s.items()}},
    "gen.gen": lambda s: {f"gen.gen.{k}": v for k, v in s.items()},
    "lightning": lambda s: {
        "state_dict": {f"model.{k}": v for k, v in s.items()},
        "pytorch-lightning_version": "2.4.0",
    },
}


def _tensors(name: str, settings: dict) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return build_network(name, settings).state_dict()


def test_every_network_has_a_small_member_here() -> None:
    assert list(SMALL) == network_names()


@pytest.mark.parametrize("name", [name for name in SMALL if name != "cloud_attentive"])
@pytest.mark.parametrize("layout", WRAPPERS)
def test_every_layout_of_every_network_is_recognised(
    tmp_path: Path, name: str, layout: str
) -> None:
    tensors = _tensors(name, SMALL[name])
    path = tmp_path / "checkpoint.pth"
    torch.save(WRAPPERS[layout](tensors), path)
    found = identify(path, read_tensors(path))
    assert found.network == name
    rebuilt = build_network(found.network, found.settings)
    load_strictly(name, rebuilt, found.tensors, path.name)
    assert all(torch.equal(value, tensors[key]) for key, value in rebuilt.state_dict().items())


@pytest.mark.parametrize(("name", "settings"), VARIED.values(), ids=VARIED)
def test_sizes_and_variants_are_derived_from_shapes(name: str, settings: dict) -> None:
    tensors = _tensors(name, settings)
    found = identify(Path("none.pth"), tensors)
    assert found.network == name
    assert {key: found.settings[key] for key in settings if key in found.settings} == {
        key: value for key, value in settings.items() if key in found.settings
    }
    load_strictly(name, build_network(name, found.settings), found.tensors, "none.pth")


def test_tensors_that_fit_two_networks_are_distinguished_by_name() -> None:
    tensors = _tensors("cloud_attentive", SMALL["cloud_attentive"])
    assert identify(Path("a.pth"), tensors).network == "glf_cr"
    assert identify(Path("a.pth"), tensors, "cloud_attentive").network == "cloud_attentive"


@pytest.mark.parametrize("name", SMALL)
def test_a_bare_checkpoint_predicts_with_the_card_of_the_catalogue(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / f"{name}.safetensors"
    save_file(_tensors(name, SMALL[name]), path)
    model = load_model(str(path), "cpu", network=name)
    assert model.card.name == name
    tile = TileInputs(
        np.full((len(model.card.optical_bands), 40, 36), 0.2, np.float32),
        np.full((2, 40, 36), -12.0, np.float32) if model.card.uses_sar else None,
    )
    (prediction,) = model.predict([tile])
    assert prediction.shape == (len(model.card.output_bands), 40, 36)
    assert np.isfinite(prediction).all()


def test_published_checkpoints_are_recognised(golden: Path) -> None:
    wanted = {
        "glf_cr/small/ckpt_official_layout_legacy.pth": "glf_cr",
        "glf_cr/small/ckpt_dataparallel_zip.pth": "glf_cr",
        "cloud_attentive/small/ckpt_official_layout.pth": "glf_cr",
        "uncrtaints/mono_mgnll_scale10/model.pth.tar": "uncrtaints",
        "uncrtaints/mono_mgnll_scale10/model_oldnames.pth.tar": "uncrtaints",
        "dsen2_cr/small/weights_legacy_keras2.h5": "dsen2_cr",
        "dsen2_cr/small/full_model_keras2.hdf5": "dsen2_cr",
        "dsen2_cr/small/keras224_like.hdf5": "dsen2_cr",
        "dsen2_cr/small/keras224_like_offset35.hdf5": "dsen2_cr",
        "dsen2_cr/small/keras224_like_multigpu.hdf5": "dsen2_cr",
    }
    found = {path: find_card(str(golden / path)).card.network for path in wanted}
    assert found == wanted
    for folder in ("published_RICE1", "published_RICE2"):
        (path,) = (golden / "spa_gan" / folder).glob("*.pth")
        card = find_card(str(path)).card
        assert (card.network, card.optical_bands) == ("spa_gan", ("B02", "B03", "B04"))
        assert "picture" in card.levels


def test_the_configuration_next_to_a_checkpoint_is_used(golden: Path, tmp_path: Path) -> None:
    folder = golden / "uncrtaints" / "mono_mgnll_scale10"
    path = tmp_path / "model.pth.tar"
    path.write_bytes((folder / "model.pth.tar").read_bytes())
    (tmp_path / "conf.json").write_text('{"scale_by": 3.0}')
    assert find_card(str(path)).card.network_settings["scale_by"] == 3.0


def _uncrtaints(folder: Path) -> Path:
    """A small checkpoint whose tensors do not tell all of its design."""
    torch.manual_seed(0)
    path = folder / "model.pth"
    torch.save(UnCRtainTS(width=32, blocks=1).state_dict(), path)
    return path


def test_a_setting_in_no_file_is_logged(tmp_path: Path, caplog: Any) -> None:
    with caplog.at_level("INFO", "cloudfree"):
        card = find_card(str(_uncrtaints(tmp_path))).card
    assert "no scale_by in conf.json next to model.pth" in caplog.text
    assert card.network_settings["scale_by"] == 10.0


def test_a_design_that_tensors_do_not_show_and_is_not_built_is_refused(tmp_path: Path) -> None:
    path = _uncrtaints(tmp_path)
    (tmp_path / "conf.json").write_text('{"scale_by": 10.0, "mean_nonLinearity": false}')
    with pytest.raises(ModelError, match=r"mean_nonLinearity = False in .*conf\.json"):
        find_card(str(path))


class _Malicious:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple:
        return (print, ("code was run",))


def _truncated(path: Path, tensors: dict) -> None:
    torch.save(tensors, path)
    path.write_bytes(path.read_bytes()[:2000])


def _malicious(path: Path, tensors: dict) -> None:
    torch.save({"state_dict": tensors, "extra": _Malicious()}, path)


def _not_numbers(path: Path, tensors: dict) -> None:
    torch.save(
        {k: v * float("nan") if v.is_floating_point() else v for k, v in tensors.items()}, path
    )


REFUSED = {
    "truncated": (_truncated, r"cannot be read .*; wanted a whole checkpoint"),
    "malicious": (_malicious, r"tensors \(Unsupported global: GLOBAL \S*print\); wanted"),
    "nan": (_not_numbers, r"has weights that are not finite \(.* and \d+ more\)"),
    "foreign": (lambda p, _: torch.save({"a.b": torch.ones(1)}, p), r"\(a\.b, \.\.\.\) are not"),
    "empty": (lambda p, _: torch.save({}, p), "holds no mapping of tensors"),
    "numbers": (lambda p, _: torch.save({"epoch": 3}, p), "holds no mapping of tensors"),
    "text": (lambda p, _: p.write_text("hello"), r"a\.pth is no checkpoint; wanted a model's"),
    "nothing": (lambda p, _: p.touch(), r"a\.pth is no checkpoint"),
    "pickle": (lambda p, _: p.write_bytes(pickle.dumps({"a": _Malicious()})), r"tensors \(Uns"),
}  # fmt: skip


@pytest.mark.parametrize(("write", "text"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_checkpoint_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], write, text: str
) -> None:
    path = tmp_path / "a.pth"
    write(path, _tensors("dsen2_cr", SMALL["dsen2_cr"]))
    with pytest.raises(ModelError, match=text) as refusal:
        load_model(str(path), "cpu")
    assert "\n" not in str(refusal.value)
    assert "weights_only" not in str(refusal.value), "the message does not advise to run the code"
    assert "code was run" not in capsys.readouterr().out


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    tensors = _tensors("dsen2_cr", SMALL["dsen2_cr"])
    tensors["model.9.stranger"] = tensors.pop("model.2.conv_block.2.bias")
    path = tmp_path / "a.safetensors"
    save_file(tensors, path)
    with pytest.raises(ModelError, match="looks like dsen2_cr, but lacks the tensor model"):
        load_model(str(path), "cpu")


@pytest.mark.parametrize("name", SMALL)
def test_a_tensor_without_its_axes_is_of_no_network(tmp_path: Path, name: str) -> None:
    tensors = {key: value.flatten() for key, value in _tensors(name, SMALL[name]).items()}
    with pytest.raises(ModelError, match=f"are not those of {name}; wanted"):
        identify(tmp_path / "a.pth", tensors, name)


def test_tensors_of_no_variant_are_of_no_network(tmp_path: Path) -> None:
    tensors = _tensors("glf_cr", {**SMALL["glf_cr"], "variant": "without-stl"})
    kept = {key: value for key, value in tensors.items() if not key.startswith("DF.")}
    with pytest.raises(ModelError, match="are not those of a network in the registry"):
        identify(tmp_path / "a.pth", kept)


def test_a_card_with_wrong_settings_is_refused(tmp_path: Path) -> None:
    own = {"name": "a", "weights": "a.safetensors", "weights_sha256": ""}
    entries = {**card_entries("sg_bafm_dfin", {}), **own, "network_settings": {"heads": 7}}
    save_file(_tensors("dsen2_cr", SMALL["dsen2_cr"]), tmp_path / "a.safetensors")
    entries["weights_sha256"] = sha256_of(tmp_path / "a.safetensors")
    (tmp_path / "card.toml").write_text(toml_text(entries))
    with pytest.raises(ModelError, match="token_channels = 256 and heads = 7; wanted"):
        load_model(str(tmp_path), "cpu")


def test_an_extra_tensor_alone_is_listed(tmp_path: Path) -> None:
    tensors = _tensors("mcgan", SMALL["mcgan"])
    path = tmp_path / "a.safetensors"
    save_file({**tensors, "c8.stranger": torch.zeros(2)}, path)
    with pytest.raises(ModelError, match=r"unexpected: c8\.stranger\); wanted exactly its \d+"):
        load_model(str(path), "cpu")


@pytest.mark.parametrize("output_bands", [3, 4])
def test_the_matte_of_mcgan_is_no_band(tmp_path: Path, output_bands: int) -> None:
    """Of what the form for pictures returns, the fourth image is where the cloud was."""
    path = tmp_path / "rgbn.safetensors"
    save_file(_tensors("mcgan", {"channels": 4, "output_bands": output_bands}), path)
    model = load_model(str(path), "cpu")
    assert model.card.optical_bands == ("B02", "B03", "B04", "B08")
    assert model.card.output_bands == ("B02", "B03", "B04")
    (filled,) = model.predict([TileInputs(np.full((4, 128, 128), 0.3, np.float32))])
    assert filled.shape == (3, 128, 128)


def test_weights_survive_safetensors(tmp_path: Path) -> None:
    tensors = _tensors("ib_hfn", SMALL["ib_hfn"])
    save_file(tensors, tmp_path / "a.safetensors")
    assert all(torch.equal(v, tensors[k]) for k, v in load_file(tmp_path / "a.safetensors").items())


@pytest.mark.parametrize("old", [False, True], ids=["zipped", "old"])
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda t: t.to(torch.float8_e4m3fn), "is float8_e4m3fn"),
        (lambda t: t.to(torch.complex64), "is complex64"),
        (lambda t: t.to_sparse(), "is sparse float32"),
        (lambda t: t.to("meta"), "is without numbers"),
        (lambda t: t.reshape(-1)[:0], "is without numbers"),
        (lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), "is qint8"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_tensor_that_networks_do_not_compute_in_is_refused(
    tmp_path: Path, old: bool, change, text: str
) -> None:
    tensors = _tensors("dsen2_cr", SMALL["dsen2_cr"])
    name = next(iter(tensors))
    tensors[name] = change(tensors[name])
    path = tmp_path / "a.pth"
    torch.save(tensors, path, _use_new_zipfile_serialization=not old)
    wanted = rf"tensor {name} of a\.pth {text}; wanted dense numbers"
    if old and text == "is float8_e4m3fn":  # torch cannot read what it writes
        wanted = r"a\.pth cannot be read"
    with pytest.raises(ModelError, match=wanted):
        read_tensors(path)


def test_a_checkpoint_that_holds_itself_is_refused(tmp_path: Path) -> None:
    content: dict[str, Any] = {"epoch": 1}
    content["model"] = content
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(ModelError, match=r"a\.pth holds no mapping of tensors"):
        read_tensors(tmp_path / "a.pth")


@pytest.mark.parametrize(
    "damage",
    [b"\x80\x02.", b"\x80\x02K\x01K", b"\x80\x02(.", b"\x80\x02\x8a\x01\xff.", b"\x80\x02X\xff"],
)
def test_a_pickle_of_anything_is_refused_in_one_line(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(damage)
    with pytest.raises(ModelError, match=r"a\.pth (cannot be read|holds)") as refusal:
        read_tensors(path)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("text", ["", "[]", "3", "nonsense", "[" * 100_000, "\xff"])
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = _uncrtaints(tmp_path)
    (tmp_path / "conf.json").write_text(text, encoding="latin-1")
    with pytest.raises(
        ModelError, match=r"conf\.json is no JSON of settings \(.*; wanted the conf"
    ):
        find_card(str(path))


def test_a_scale_in_the_configuration_is_a_number(tmp_path: Path) -> None:
    path = _uncrtaints(tmp_path)
    (tmp_path / "conf.json").write_text('{"scale_by": "ten"}')
    with pytest.raises(ModelError, match=r"uncrtaints with scale_by = 'ten'; wanted a number"):
        load_model(str(path), "cpu")
