"""Figures of models whose answers are known, on a miniature SEN12MS-CR made by code."""

from __future__ import annotations

import csv
import json
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudfree.commands.evaluate import run as evaluate
from cloudfree.commands.evaluate import scoring as evaluate_scoring
from cloudfree.commands.evaluate.options import EvaluateOptions
from cloudfree.commands.evaluate.patch import score
from cloudfree.commands.evaluate.result import Evaluation
from cloudfree.commands.evaluate.summary import SummaryRow
from cloudfree.commands.remove import run as remove
from cloudfree.core.terminal import silent
from cloudfree.datasets.patch import Skipped
from cloudfree.errors import InputError, ModelError, OutputError
from cloudfree.inference.model import Arrays, Model
from cloudfree.inference.model_card import ModelCard, parse_card_text
from cloudfree.inference.model_store import find_model, read_card
from cloudfree.inference.registry import DEFAULT_MODEL
from cloudfree.inference.scaling import Scaling
from cloudfree.inference.uncertainty import ErrorModel, calibration_of
from cloudfree.sentinel2.optical_scene import OpticalScene
from tests.factories.rasters import FIELD
from tests.factories.readiness import OneAtATime, Paired
from tests.factories.sample_folders import SIDE, TEST, paths_of, write_tree, write_triplet
from tests.factories.time_series import SERIES_TEST, write_series_tree

# How much too bright the known network answers.
ERROR = 0.02
VARIANCE = 0.0009


class Known(OneAtATime):
    """A network that knows the field, and answers a little too bright."""

    description = "known"
    batch = 2

    def __init__(self, variance: bool = False) -> None:
        self.variance = variance
        self.seen: list[tuple[int, ...]] = []

    def run(self, inputs: Arrays) -> Arrays:
        optical = inputs["optical"]
        self.seen.append(optical.shape)
        level = np.reshape(FIELD, (13, 1, 1))[: optical.shape[1]] + ERROR
        answer = np.broadcast_to(np.float32(level), optical.shape)
        spread = {"variance": np.full_like(optical, VARIANCE)} if self.variance else {}
        return {"image": answer.copy(), **spread}


def _card(**changes: Any) -> ModelCard:
    card = read_card(find_model(DEFAULT_MODEL))
    return type(card)(**{**vars(card), **changes})


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Known:
    """Replaces every model's network by the known one."""
    known = Known()
    monkeypatch.setattr(evaluate, "load_model", lambda *_: Model(_card(), known))
    return known


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tree(tmp_path_factory.mktemp("data") / "SEN12MSCR")


TrainState = Callable[..., Evaluation]


@pytest.fixture
def run(network: Known, tree: Path) -> TrainState:
    def call(**options: Any) -> Evaluation:
        return evaluate.run(EvaluateOptions(**{"data": tree, "model": ("m",), **options}), silent)

    return call


def _row(found: Evaluation, method: str, kind: str = "pixels", group: str = "all") -> SummaryRow:
    rows = [r for r in found.rows if (r.kind, r.group, r.method) == (kind, group, method)]
    assert len(rows) == 1
    return rows[0]


def near(expected: float, rel: float = 1e-3) -> Any:
    return pytest.approx(expected, rel=rel)


# --- figures ------------------------------------------------------------------------------------


def test_a_known_error_has_known_figures(run: TrainState) -> None:
    figures = _row(run(), f"{DEFAULT_MODEL}, raw", group="cloudy").means.figures
    # The clear image is the field, but for noise of 0.003 outside the cloud.
    assert figures.mae == near(ERROR, 0.02)
    assert figures.psnr == near(-20 * math.log10(ERROR), 0.01)
    clear = _row(run(), f"{DEFAULT_MODEL}, raw", group="clear").means.figures
    assert clear.rmse == near(math.hypot(ERROR, 0.003), 0.02)


def test_patches_are_filled_in_parallel(run: TrainState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "load_model", lambda *_: Model(_card(), Paired()))
    assert len(run(limit=2).patches) == 2


def test_doing_nothing_is_perfect_where_it_is_clear_and_keeping_clear_pixels_too(
    run: TrainState,
) -> None:
    found = run()
    for method in ("do nothing", f"{DEFAULT_MODEL}, written"):
        figures = _row(found, method, group="clear").means.figures
        assert (figures.mae, figures.psnr) == (0, math.inf)
    disc = math.pi * (SIDE / 4) ** 2 / SIDE**2
    for patch in found.patches:
        whole, cloudy = patch.figures["do nothing"].all, patch.figures["do nothing"].cloudy
        assert whole.mae is not None
        assert cloudy.mae is not None
        assert cloudy.mae * cloudy.pixels == pytest.approx(whole.mae * whole.pixels)
        assert whole.mae / disc > 0.3, "the error is that of the cloud, and all of it is counted"


def test_what_is_written_lies_between_the_prediction_and_doing_nothing(run: TrainState) -> None:
    figures = {
        method: _row(run(), method).means.figures.mae or 0
        for method in ("do nothing", f"{DEFAULT_MODEL}, raw", f"{DEFAULT_MODEL}, written")
    }
    nothing, raw, written = figures.values()
    assert written < raw < nothing


def test_every_patch_of_the_split_is_scored_once(run: TrainState) -> None:
    found = run()
    assert (found.split, found.places) == ("test", 2)
    assert [patch.name for patch in found.patches] == [
        f"{TEST}_p30", f"{TEST}_p31", "ROIs1868_summer_73_p1",
    ]  # fmt: skip
    assert _row(found, "do nothing").means.patches == 3
    assert _row(found, "do nothing", "place", TEST).means.patches == 2
    assert {row.kind for row in found.rows} == {"pixels", "cover", "band", "place"}
    assert sum(row.kind == "band" for row in found.rows) == 13 * 3


def test_a_split_file_says_what_is_scored_and_is_written(run: TrainState, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(f"# Mine.\nname,split\nfall,train\n{TEST}_p31,test\nsummer,test\n")
    found = run(split=str(file), output=tmp_path / "out", pictures=0)
    assert found.split == "mine: test"
    assert [patch.name for patch in found.patches] == [f"{TEST}_p31", "ROIs1868_summer_73_p1"]
    assert (tmp_path / "out" / "split.csv").read_text() == file.read_text()
    again = run(split=str(tmp_path / "out" / "split.csv"))
    assert [patch.figures for patch in again.patches] == [p.figures for p in found.patches]
    run(output=tmp_path / "out", overwrite=True, pictures=0)
    assert not (tmp_path / "out" / "split.csv").exists(), "the official split was used"


def test_a_balanced_test_set_is_drawn_and_written(run: TrainState, tmp_path: Path) -> None:
    found = run(per_bin=2, output=tmp_path / "out", pictures=0, cover="cloud")
    assert found.split == "test, 2 patches for each of 5 bins of cover, seed 1"
    assert len(found.patches) == 2
    assert found.cover == "clouds of the whole patch by the published score and own shadows"
    again = run(split=str(tmp_path / "out" / "split.csv"))
    assert [patch.name for patch in again.patches] == [patch.name for patch in found.patches]
    with pytest.raises(InputError, match="--limit 2 with --per-bin 2; wanted one of them"):
        run(per_bin=2, limit=2)


def test_chosen_patches_are_shown_and_named_in_the_json(run: TrainState, tmp_path: Path) -> None:
    run(output=tmp_path, pictures=0, show=(f"{TEST}_p31",))
    found = json.loads((tmp_path / "evaluation.json").read_text())
    ((name, files),) = found["shown"].items()
    assert name == f"{TEST}_p31"
    assert {path.name for path in (tmp_path / "shown").iterdir()} == {
        Path(file).name for file in files.values()
    }
    assert found["training"] == {
        DEFAULT_MODEL: {"network": "cloudfree_s", "seed": 2026, "split": None}
    }
    with pytest.raises(InputError, match="--show x without -o; wanted a folder for the pictures"):
        run(show=("x",))


def test_what_was_held_out_is_scored_alone(run: TrainState) -> None:
    found = run(hold_out=("summer", f"{TEST}_p30"))
    assert found.split == f"all, held out summer, {TEST}_p30"
    assert [patch.name for patch in found.patches] == [f"{TEST}_p30", "ROIs1868_summer_73_p1"]
    with pytest.raises(InputError, match="no patch or place ROIs1158_spring_6 to hold out"):
        run(hold_out=("ROIs1158_spring_6",), split="test")


def test_days_are_scored_alone(run: TrainState, tmp_path: Path) -> None:
    for name in ("north_20180605", "north_20180901"):
        write_triplet(tmp_path, name)
    found = run(data=tmp_path, s2_offset=0.0, hold_out=("2018-06-01/2018-08-31",))
    assert [patch.name for patch in found.patches] == ["north_20180605"]
    with pytest.raises(InputError, match="no patch of 2018-01-01 among 2 patches"):
        run(data=tmp_path, s2_offset=0.0, hold_out=("2018-01-01",))


def test_the_cover_is_that_of_the_mask(run: TrainState) -> None:
    disc = math.pi * (SIDE / 4) ** 2 / SIDE**2
    for patch in run().patches:
        assert patch.cover == pytest.approx(disc, abs=0.1)
        assert patch.filled > patch.cover + 0.1


@pytest.mark.parametrize(("split", "count"), [("train", 2), ("val", 1), ("all", 6)])
def test_the_split_can_be_chosen(run: TrainState, split: str, count: int) -> None:
    found = run(split=split)
    assert (found.split, len(found.patches)) == (split, count)


def test_a_limit_keeps_that_many(run: TrainState) -> None:
    assert len(run(limit=2).patches) == 2


def test_places_can_be_grouped(run: TrainState, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(f'one = ["{TEST}", "ROIs1868_summer_73_p1"]')
    found = run(groups=tmp_path / "p.toml")
    assert {patch.place for patch in found.patches} == {"one"}
    assert not _row(found, "do nothing").means.intervals, "one place has no interval"


def test_means_have_intervals_over_places(run: TrainState) -> None:
    interval = _row(run(), "do nothing").means.intervals["psnr"]
    mean = _row(run(), "do nothing").means.figures.psnr
    assert mean is not None
    assert interval.low <= mean <= interval.high


def test_models_are_distinguished_and_scored_on_the_same_patches(
    run: TrainState, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {"one": "a", "two": "b", "three": "b"}
    monkeypatch.setattr(
        evaluate, "load_model", lambda name, *_: Model(_card(name=names[name]), Known())
    )
    found = run(model=("one", "two", "three"))
    assert list(found.models) == ["a", "two", "three"]
    assert len([row for row in found.rows if row.kind == "pixels"]) == 3 * (1 + 2 * 3)


def test_only_bands_that_all_models_predict_are_compared(
    run: TrainState, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = _card()
    three = {"optical_bands": card.optical_bands[:3], "output_bands": card.output_bands[:3]}
    few = _card(name="few", optical_scaling=Scaling(((0.0, 1.0),) * 3, (0.0, 1.0)), **three)
    models = {"all": Model(card, Known()), "few": Model(few, Known())}
    monkeypatch.setattr(evaluate, "load_model", lambda name, *_: models[name])
    found = run(model=("all", "few"))
    assert found.bands == ("B01", "B02", "B03")
    assert "bands B01, B02, B03" in found.summary()
    assert _row(found, "few, raw").means.figures == _row(found, f"{card.name}, raw").means.figures


def test_variances_are_calibrated_where_a_network_predicts_them(
    run: TrainState, network: Known
) -> None:
    assert run().calibration == {}
    network.variance = True
    found = run()
    one = found.calibration[DEFAULT_MODEL]
    assert one.uce == near(math.sqrt(VARIANCE) - math.hypot(ERROR, 0.0025), 0.05)
    assert one.within_2 == 1
    assert "UCE 0.0" in found.summary()


# --- protocols ----------------------------------------------------------------------------------


def test_the_native_protocol_shows_tiles_and_the_published_ones_whole_patches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_triplet(tmp_path, "a", side=160)
    known = Known()
    monkeypatch.setattr(evaluate, "load_model", lambda *_: Model(_card(tile=96, overlap=32), known))
    sides = {}
    for protocol in ("native", "uncrtaints", "glf-cr"):
        known.seen.clear()
        evaluate.run(EvaluateOptions(tmp_path, ("m",), protocol=protocol), silent)
        sides[protocol] = {shape[-1] for shape in known.seen}
    assert sides == {"native": {96}, "uncrtaints": {160}, "glf-cr": {128}}


@pytest.mark.parametrize("protocol", ["native", "uncrtaints", "glf-cr"])
def test_the_protocol_is_named_in_every_output(
    run: TrainState, tmp_path: Path, protocol: str
) -> None:
    found = run(protocol=protocol, output=tmp_path / "out", pictures=0)
    texts = [found.summary(), *(path.read_text() for path in (tmp_path / "out").iterdir())]
    assert len(texts) == 5
    assert all(protocol in text for text in texts)


# --- what remove writes -------------------------------------------------------------------------


def test_the_written_image_is_what_remove_writes(
    tmp_path: Path, network: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_triplet(tmp_path, "a", side=64)
    monkeypatch.setattr(remove, "load_model", lambda *_: Model(_card(), network))
    remove.run(
        remove.RemoveOptions(
            s2=tmp_path / "a_s2_cloudy.tif",
            s1=(tmp_path / "a_s1.tif",),
            output=tmp_path / "r.tif",
            shift="none",
            detector="published",
            fill_by="network",
        ),
        silent,
    )
    written = []

    def listen(*given: Any) -> Any:
        written.append(given[3][DEFAULT_MODEL].written)
        return score(*given)

    monkeypatch.setattr(evaluate_scoring, "score", listen)
    evaluate.run(EvaluateOptions(tmp_path, ("m",), s2_offset=0.0), silent)
    with OpticalScene(tmp_path / "r.tif") as result:
        expected = result.reflectance(result.bands, result.grid.window)
    np.testing.assert_allclose(written[0], expected, atol=1e-7)
    with OpticalScene(tmp_path / "a_s2_cloudy.tif") as cloudy:
        assert (expected != cloudy.reflectance(cloudy.bands, cloudy.grid.window)).any()


# --- faults -------------------------------------------------------------------------------------


def _spoil(kind: str, folder: Path) -> None:
    path = paths_of(folder, TEST, "p30")[kind]
    path.write_bytes(path.read_bytes()[:2500])


@pytest.mark.parametrize("kind", ["s1", "s2", "s2_cloudy"])
def test_a_corrupt_patch_is_named_and_skipped(
    run: TrainState, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_tree(tmp_path)
    _spoil(kind, folder)
    found = run(data=folder)
    assert [skipped.name for skipped in found.skipped] == [f"{TEST}_p30"]
    assert len(found.patches) == 2
    assert f"1 patches skipped:\n  {TEST}_p30: " in found.summary()
    assert "1 patches skipped, such as" in caplog.text


def test_an_incomplete_patch_is_named_too(run: TrainState, tmp_path: Path) -> None:
    folder = write_tree(tmp_path)
    paths_of(folder, TEST, "p31")["s2"].unlink()
    assert run(data=folder).skipped == (Skipped(f"{TEST}_p31", "no clear image"),)


def test_patches_without_what_a_model_needs_are_skipped_and_refused_if_there_is_no_other(
    run: TrainState, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        write_triplet(tmp_path, name)
    (tmp_path / "a_s1.tif").unlink()
    assert run(data=tmp_path).skipped == (
        Skipped("a", f"no Sentinel-1, which model {DEFAULT_MODEL} needs"),
    )
    (tmp_path / "b_s1.tif").unlink()
    with pytest.raises(InputError, match="none of 2 patches can be scored: a: no Sentinel-1"):
        run(data=tmp_path)


def test_a_model_without_radar_scores_pairs(
    run: TrainState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_triplet(tmp_path, "a")
    (tmp_path / "a_s1.tif").unlink()
    card = _card(inputs=("optical",), sar_bands=())
    monkeypatch.setattr(evaluate, "load_model", lambda *_: Model(card, Known()))
    assert len(run(data=tmp_path, output=tmp_path / "out").patches) == 1
    assert '<figure data-name="sar"' not in (tmp_path / "out" / "index.html").read_text()


def test_one_model_twice_is_refused(run: TrainState) -> None:
    with pytest.raises(ModelError, match="one model twice in m, m"):
        run(model=("m", "m"))


def test_nothing_is_said_of_single_patches(
    run: TrainState, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="cloudfree"):
        run()
    assert [record for record in caplog.records if record.name == "cloudfree"] == []


# --- files --------------------------------------------------------------------------------------


def test_the_files_hold_the_figures(run: TrainState, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    found = run(output=folder)
    with (folder / "patches.csv").open(newline="") as file:
        patches = list(csv.DictReader(file))
    with (folder / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(patches) == 3 * 3 * 3
    assert len(rows) == len(found.rows)
    means = _row(found, "do nothing").means
    first = next(row for row in rows if row["method"] == "do nothing")
    assert float(first["psnr"]) == means.figures.psnr
    assert float(first["psnr_low"]) == means.intervals["psnr"].low
    errors = [
        float(p["mae"]) for p in patches if (p["method"], p["region"]) == ("do nothing", "all")
    ]
    assert means.figures.mae == near(float(np.mean(errors)), 1e-9)


def test_json_has_no_number_that_json_does_not_know(run: TrainState, tmp_path: Path) -> None:
    run(output=tmp_path / "out")

    def refuse(name: str) -> None:
        raise AssertionError(name)

    text = (tmp_path / "out" / "evaluation.json").read_text()
    written = json.loads(text, parse_constant=refuse)
    clear = next(row for row in written["rows"] if row["group"] == "clear")
    assert clear["means"]["figures"]["psnr"] is None
    assert written["patches"][0]["place"] == TEST


def test_the_page_shows_patches_from_the_worst_to_the_best(run: TrainState, tmp_path: Path) -> None:
    found = run(output=tmp_path / "out", split="all", pictures=2)
    page = (tmp_path / "out" / "index.html").read_text()
    method = f"{DEFAULT_MODEL}, raw"
    ranked = sorted(found.patches, key=lambda patch: patch.figures[method].all.psnr or 0)
    assert page.index(f"<h2>{ranked[0].name}</h2>") < page.index(f"<h2>{ranked[-1].name}</h2>")
    assert page.count("<h2>") == 2
    for name in ("before", "sar", "truth", "raw", "after", "error"):
        assert page.count(f'<figure data-name="{name}"') == 2, name


def test_files_are_replaced_only_when_asked(run: TrainState, tmp_path: Path) -> None:
    run(output=tmp_path / "out", pictures=0)
    with pytest.raises(OutputError, match="exists already"):
        run(output=tmp_path / "out", pictures=0)
    run(output=tmp_path / "out", pictures=0, overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file is a file; wanted a folder"):
        run(output=tmp_path / "file")


# --- real data ----------------------------------------------------------------------------------


def test_real_triplets_go_through_the_command(data: Path, run: TrainState) -> None:
    found = run(data=data / "triplets", limit=2)
    assert [patch.name for patch in found.patches] == ["0316", "4433"]
    assert found.skipped == ()


# --- uncertainty --------------------------------------------------------------------------------


def test_deviations_are_calibrated_on_filled_pixels_place_by_place(
    run: TrainState, network: Known
) -> None:
    found = run(split="all", uncertainty=True)
    ways = [label.removeprefix(f"{DEFAULT_MODEL}, ") for label in found.calibration]
    assert ways == ["bare flips", "by its card", "fitted to other places"]
    entry = found.error_models[DEFAULT_MODEL]
    assert entry["source"] == "flips"
    # The network is ERROR too bright under the cloud, a little more or less in the rim.
    answer = np.float32(FIELD)[:, None] + np.float32(ERROR)
    variance = ErrorModel.from_card(entry).variance(answer, np.zeros((13, 1), np.float32))
    assert np.sqrt(variance) == near(ERROR, 0.15)
    assert entry["within_2"] > 0.95
    assert "6 patches at " in entry["protocol"]


def test_what_is_printed_for_the_card_is_an_entry_that_remove_reads(run: TrainState) -> None:
    found = run(split="all", uncertainty=True)
    entry = parse_card_text(found.summary().split("for its card\n")[1])["uncertainty"]
    source, model = calibration_of(_card(uncertainty=entry))
    assert source == "flips"
    assert model == ErrorModel.from_card(found.error_models[DEFAULT_MODEL])


def test_a_variance_that_the_network_predicts_needs_no_flips(
    run: TrainState, network: Known
) -> None:
    network.variance = True
    found = run(uncertainty=True)
    assert next(iter(found.calibration)) == f"{DEFAULT_MODEL}, bare network"
    assert "by its card" not in "".join(found.calibration), "its card is of the flips"
    assert found.calibration[f"{DEFAULT_MODEL}, bare network"].within_1 > 0.99
    assert len(network.seen) == 3


def test_one_place_is_fitted_without_a_coverage(run: TrainState, tree: Path) -> None:
    entry = run(limit=1, uncertainty=True).error_models[DEFAULT_MODEL]
    assert "within_1" not in entry


# --- time series --------------------------------------------------------------------------------


class FirstDate(Known):
    """Answers the date of the tile."""

    def run(self, inputs: Arrays) -> Arrays:
        self.seen.append(inputs["optical"].shape)
        optical = inputs["optical"]
        return {"image": optical if optical.ndim == 4 else optical[:, 0]}


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_series_tree(tmp_path_factory.mktemp("series"))


class TestTimeSeries:
    @pytest.fixture
    def scored(self, series: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
        def call(takes: str, **options: Any) -> tuple[Evaluation, set[tuple[int, ...]]]:
            network = FirstDate()
            model = Model(_card(dates=takes, inputs=("optical", "sar")), network)
            monkeypatch.setattr(evaluate, "load_model", lambda *_: model)
            found = evaluate.run(EvaluateOptions(data=series, model=("m",), **options), silent)
            return found, set(network.seen)

        return call

    def test_a_model_of_several_dates_is_shown_three_of_the_test_split(self, scored: Any) -> None:
        found, seen = scored("one or several")
        assert [patch.name for patch in found.patches] == [f"{SERIES_TEST}_p7"]
        assert seen == {(1, 3, 13, 64, 64)}
        assert found.definition.endswith("; 3 dates of each time series")
        # Every row of the filled date is cloud but a tenth, and the target is clear.
        assert found.patches[0].cover == pytest.approx(0.9, abs=0.05)

    def test_the_number_of_dates_can_be_chosen(self, scored: Any) -> None:
        found, seen = scored("one or several", dates=2)
        assert seen == {(1, 2, 13, 64, 64)}
        assert "; 2 dates of each" in found.summary()

    def test_a_model_of_one_date_is_shown_the_date_that_is_filled(self, scored: Any) -> None:
        found, seen = scored("one")
        assert seen == {(1, 13, 64, 64)}
        raw, nothing = (
            _row(found, method).means.figures for method in (f"{DEFAULT_MODEL}, raw", "do nothing")
        )
        assert raw.mae == near(nothing.mae)

    def test_dates_of_patches_that_have_one_are_refused(self, run: TrainState) -> None:
        with pytest.raises(InputError, match=f"--dates 3 for patches of one date, such as {TEST}"):
            run(dates=3)
        assert "dates" not in run().definition
