"""What the numbers of a mask mean, by its tags, its name, its type and its values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudfree.cloudmask.mask_values import MaskNumbers, recoding_of
from cloudfree.core.mask_classes import FILE_CLASSES, MaskClass
from cloudfree.errors import InputError

CLEAR, CLOUD, SHADOW, SNOW, NODATA = map(int, FILE_CLASSES)


def _of(values: Iterable[float], dtype: str = "uint8", **other: Any) -> MaskNumbers:
    """What a file of these numbers holds."""
    found = [value for value in values if value != other.get("nodata") or value == 0]
    whole = np.issubdtype(dtype, np.integer)
    return MaskNumbers(
        **{
            "name": "mask.tif",
            "dtype": dtype,
            "lowest": min(found, default=0),
            "highest": max(found, default=0),
            "values": frozenset(map(int, found)) if whole else frozenset(),
            **other,
        }
    )


def _recoded(
    values: Iterable[float], dtype: str = "uint8", threshold: float | None = None, **other: Any
) -> list[int]:
    values = list(values)
    recoding = recoding_of(_of(values, dtype, **other), threshold)
    return recoding.apply(np.array([values], dtype))[0].tolist()


@pytest.mark.parametrize("values", [[0], [1], [0, 1, 2, 3, 255], [0, 3], [1, 255]])
def test_classes_are_taken_as_they_are(values: list[int]) -> None:
    recoding = recoding_of(_of(values))
    assert recoding.unchanged
    assert "0 clear, 1 cloud, 2 shadow, 3 snow" in recoding.meaning
    assert _recoded(values) == values


SCL = [NODATA, NODATA, CLEAR, SHADOW, CLEAR, CLEAR, CLEAR, CLEAR, CLOUD, CLOUD, CLOUD, SNOW]


def test_a_scene_classification_is_known_by_its_values() -> None:
    assert _recoded(range(12)) == SCL
    assert _recoded([0, 5, 9, 255]) == [NODATA, CLEAR, CLOUD, NODATA]
    assert "SCL" in recoding_of(_of([4, 5])).meaning


@pytest.mark.parametrize(
    "name", ["T31TCG_20220605T105031_SCL_20m.jp2", "scl.tif", "2022-SCL.TIF", "a_scl2.tif"]
)
def test_a_scene_classification_is_known_by_its_name(name: str) -> None:
    assert _recoded([2, 3, 1], name=name) == [CLEAR, SHADOW, NODATA]
    assert _recoded([4], name=name) == [CLEAR]


def test_its_name_does_not_make_a_mask_of_clouds_and_clear_ground_a_scene_classification() -> None:
    """An SCL of nothing but 0 and 1 would have no data."""
    for values in ([0, 1], [0, 1, 255]):
        assert recoding_of(_of(values, name="scl_clouds.tif")).unchanged
    assert _recoded([0, 255], name="scl_clouds.tif") == [CLEAR, CLOUD]
    assert recoding_of(_of([0, 2, 3], name="muscle.tif")).unchanged, "a part of another word"


def test_tags_of_this_program_outweigh_the_name() -> None:
    assert recoding_of(_of([0, 1, 2, 3], name="SCL.tif", tags={"CLASS_1": "cloud"})).unchanged


def test_what_the_product_calls_its_scene_classification_is_one() -> None:
    assert not recoding_of(_of([2, 3]), scl=True).unchanged
    with pytest.raises(InputError, match=r"0, 40, but is called an SCL; wanted scene classes fr"):
        recoding_of(_of([0, 40]), scl=True)


def test_255_is_cloud_where_there_is_nothing_else_but_0() -> None:
    for nodata in (None, 0):
        assert _recoded([0, 255], nodata=nodata) == [CLEAR, CLOUD]
    assert _recoded([255]) == [CLOUD]
    assert recoding_of(_of([0, 255])).meaning == "255 is cloud and 0 clear"


def test_255_is_no_data_where_it_is_declared_or_beside_classes() -> None:
    assert _recoded([0, 255], nodata=255) == [CLEAR, NODATA]
    assert _recoded([0, 255], tags={"CLASS_1": "cloud"}) == [CLEAR, NODATA]
    assert _recoded([0, 1, 255]) == [CLEAR, CLOUD, NODATA]


def test_numbers_of_other_types_mean_the_same_as_bytes() -> None:
    assert _recoded([0, 1, 2, -9999], "int16", nodata=-9999) == [CLEAR, CLOUD, SHADOW, NODATA]
    assert _recoded(range(12), "uint16") == SCL


PROBABILITIES = {
    "float32": (0.0, 0.39, 0.4, 1.0), "uint8": (0, 39, 40, 100), "int16": (0, 39, 40, 100),
}  # fmt: skip


@pytest.mark.parametrize("dtype", PROBABILITIES)
def test_cloud_begins_at_the_threshold(dtype: str) -> None:
    values = PROBABILITIES[dtype]
    assert _recoded(values, dtype, 0.4) == [CLEAR, CLEAR, CLOUD, CLOUD]
    assert _recoded(values, dtype, 0.0) == [CLOUD] * 4
    assert _recoded(values, dtype, 1.0) == [CLEAR, CLEAR, CLEAR, CLOUD]


def test_floats_are_probabilities_with_the_threshold_of_s2cloudless() -> None:
    assert _recoded([0.39, 0.4, np.nan], "float32") == [CLEAR, CLOUD, NODATA]
    assert _recoded([0.1, 0.9, -1], "float64", nodata=-1) == [CLEAR, CLOUD, NODATA]
    assert "0.4" in recoding_of(_of([0.5], "float32")).meaning


@pytest.mark.parametrize(
    ("name", "values", "least"),
    [
        ("clouds.tif", [0, 100], 40),
        ("clouds.tif", [0, 101], 102),
        ("MSK_CLDPRB_20m.jp2", [0, 60], 40),
        ("T31_CLD_20m.jp2", [0, 60], 40),
        ("clp.tif", [0, 60], 102),
        ("cloud_probability.tif", [0, 60], 40),
    ],
)
def test_bytes_are_per_cent_or_of_255(name: str, values: list[int], least: int) -> None:
    recoding = recoding_of(_of(values, name=name), 0.4)
    classes = recoding.apply(np.arange(101, dtype=np.uint8)[None])[0]
    assert classes.tolist() == [int(value >= least) for value in range(101)]


@pytest.mark.parametrize("name", ["MSK_CLDPRB_60m.jp2", "CLP.tif", "cloud_probability.tif"])
def test_names_of_probabilities_need_no_threshold(name: str) -> None:
    assert _recoded([0, 9, 200 if name == "CLP.tif" else 100], name=name) == [CLEAR, CLEAR, CLOUD]


def test_255_among_per_cent_is_no_data() -> None:
    assert _recoded([0, 50, 255], threshold=0.4) == [CLEAR, CLOUD, NODATA]


def test_a_scale_of_the_file_is_used() -> None:
    """As the score that `cloudfree mask` writes in bytes has."""
    scaled = _recoded([0, 79, 80, 200, 255], scale=1 / 200, nodata=255)
    assert scaled == [CLEAR, CLEAR, CLOUD, CLOUD, NODATA]


@given(st.lists(st.floats(0, 1, width=32), min_size=1), st.floats(0, 1))
def test_a_pixel_is_cloud_by_its_probability_alone(values: list[float], threshold: float) -> None:
    classes = np.array(_recoded(values, "float32", threshold))
    assert set(classes) <= {CLEAR, CLOUD}
    assert (classes[np.array(values) >= threshold] == CLOUD).all()
    assert (classes[np.array(values) < threshold - 1e-5] == CLEAR).all()


@pytest.mark.parametrize(
    ("numbers", "threshold", "text"),
    [
        (_of([0, 3, 255]), None, "holds 0, 3, 255: 255 without any 1 or 2; .*; write clouds as 1"),
        (_of([0, 1, 4]), None, "holds 0, 1, 4; .* call it NAME_SCL.tif; .* where 4 is cloud"),
        (_of([0, 100]), None, "holds 0, 100; .*; give --mask-threshold 0.4 if these are prob"),
        (_of(range(40)), None, r"holds 0 to 39 as uint8; wanted classes \(0 clear, 1 cloud, .*SCL"),
        (_of([0, 1024], "uint16"), None, "holds 0 to 1024 as uint16; wanted classes"),
        (_of([-1, 1], "int16"), None, "holds -1, 1; wanted classes"),
        (_of([0, 100], "float32"), None, "0 to 100 as float32; wanted prob.* from 0 to 1; divide"),
        (_of([0, 1.01], "float32"), 0.4, "0 to 1.01 as float32; wanted probabilities from 0 to 1"),
        (_of([-9999, 1], "float32"), 0.4, "-9999 to 1 .*declare what means no data"),
        (_of([0, np.inf], "float32"), 0.4, "0 to inf as float32"),
        (_of([0, 300], "uint16"), 0.4, "0 to 300 as uint16; wanted probabilities from 0 to 100"),
        (_of([0, 120], name="MSK_CLDPRB.jp2"), 0.4, "holds 0, 120; wanted prob.* 0 to 100"),
        (_of([0, 9], name="SCL.tif"), 0.4, "threshold for SCL.tif, which holds classes; wanted"),
        (_of([0, 1], tags={"CLASS_1": "cloud"}), 0.4, "a mask threshold for mask.tif, which hol"),
        (_of([0, 1]), 40.0, "a mask threshold of 40; wanted .* from 0 to 1; divide per cent by"),
        (_of([0, 1]), np.nan, "a mask threshold of nan"),
    ],
)  # fmt: skip
def test_numbers_of_no_known_meaning_are_refused(
    numbers: MaskNumbers, threshold: float | None, text: str
) -> None:
    with pytest.raises(InputError, match=text):
        recoding_of(numbers, threshold)


@given(st.sets(st.integers(0, 255), min_size=1))
def test_bytes_become_classes_or_are_refused(values: set[int]) -> None:
    try:
        found = set(_recoded(sorted(values)))
    except InputError as error:
        assert error.wanted
        assert error.hint
    else:
        assert found <= set(map(int, MaskClass))
