"""Results of evaluations as they are compared, and what does not compare."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudfree.commands.compare.results import read_results
from cloudfree.commands.evaluate.patch import NOTHING
from cloudfree.errors import InputError
from tests.factories.evaluations import CLOUDY_DB, write_evaluation

PSNR = {"a_1": 30.0, "a_2": 32.0, "b_1": 28.0}


def test_models_are_read_by_name_behind_the_cloudy_image(tmp_path: Path) -> None:
    folder = write_evaluation(tmp_path / "one", "m", PSNR)
    found = read_results([str(folder)], "raw")
    assert list(found.models) == [NOTHING, "m"]
    assert (found.protocol, found.cover) == ("glf-cr", "clouds")
    (one,) = found.models["m"]
    assert (one.seed, one.patches["a_1"].place) == (1, "a")
    assert one.patches["a_1"].metrics == {"psnr": 30.0, "ssim": 0.3, "sam": 10.0, "mae": 1 / 30}
    assert found.models[NOTHING][0].patches["b_1"].metrics["psnr"] == CLOUDY_DB


def test_the_image_that_remove_writes_is_compared_if_asked_for(tmp_path: Path) -> None:
    file = write_evaluation(tmp_path / "one", "m", PSNR) / "evaluation.json"
    (one,) = read_results([str(file)], "written").models["m"]
    assert one.patches["a_1"].metrics["psnr"] == 31.0


def test_results_of_one_name_or_label_are_seeds_of_one_model(tmp_path: Path) -> None:
    for seed in ("1", "2", "3"):
        write_evaluation(tmp_path / seed, "m", PSNR)
    given = [str(tmp_path / "1"), str(tmp_path / "2"), f"other={tmp_path / '3'}"]
    models = read_results(given, "raw").models
    assert {label: len(found) for label, found in models.items()} == {
        NOTHING: 1,
        "m": 2,
        "other": 1,
    }


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"protocol": "native"}, "protocol glf-cr in {one} and native in {two}; wanted results of"),
        ({"bands": ("B02", "B03")}, "bands B02 in {one} and B02, B03 in {two}"),
        ({"cover": "clouds and shadows"}, "cover clouds in {one} and clouds and shadows in {two}"),
    ],
)
def test_what_must_not_stand_in_one_table_is_refused(
    tmp_path: Path, own: dict[str, object], message: str
) -> None:
    one = write_evaluation(tmp_path / "one", "m", PSNR)
    two = write_evaluation(tmp_path / "two", "n", PSNR, **own)
    with pytest.raises(InputError) as error:
        read_results([str(one), str(two)], "raw")
    assert str(error.value).startswith(message.format(one=one, two=two))


def test_one_result_twice_is_refused(tmp_path: Path) -> None:
    one = str(write_evaluation(tmp_path / "one", "m", PSNR))
    with pytest.raises(InputError, match="two results of the same weights of m; wanted a training"):
        read_results([one, one], "raw")


def test_what_is_no_result_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "broken.json").write_text("{")
    empty = write_evaluation(tmp_path / "one", "m", PSNR) / "evaluation.json"
    empty.write_text(json.dumps({**json.loads(empty.read_text()), "patches": []}))
    for given, reason in (
        (tmp_path, "No such file or directory"),
        (tmp_path / "list.json", "it has neither protocol nor models"),
        (tmp_path / "broken.json", "Expecting property name"),
        (empty, "it has no scored patches"),
    ):
        with pytest.raises(InputError) as error:
            read_results([str(given)], "raw")
        assert str(error.value).startswith(f"{given} is no result of cloudfree evaluate ({reason}")
        assert "\n" not in str(error.value)


def test_a_label_is_for_one_model(tmp_path: Path) -> None:
    folder = write_evaluation(tmp_path / "one", "m", PSNR, models={"m": "0", "n": "1"})
    with pytest.raises(InputError, match="one label, x, for the 2 models of"):
        read_results([f"x={folder}"], "raw")
