"""The page: well-formed, self-contained, safe, and it says what it should."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from cloudfree import __version__
from cloudfree.core.mask_classes import FILL_COLOURS, FillClass
from cloudfree.metrics.image_metrics import Metrics
from cloudfree.raster.gdal import ignored_warning
from cloudfree.raster.used_reference import UsedReference
from cloudfree.report.comparison import BeforeAfter, Comparison
from cloudfree.report.page import SceneSection, gallery_columns, metadata, render, rgb, thousands
from cloudfree.report.pictures import SMALL_PX, Picture
from cloudfree.report.sources import open_sources
from tests.factories.results import write_result


def metadata_of(folder: Path, truth: bool = False, **tags: str | None) -> dict[str, str]:
    fake = write_result(folder, **tags)
    with open_sources(fake.result, fake.truth if truth else None) as sources:
        return dict(metadata(sources))


def test_inputs_model_and_shift_are_listed(tmp_path: Path) -> None:
    found = metadata_of(tmp_path, truth=True, CLOUDFREE_S1_UNITS="db (as given)")
    expected = {
        "Model": "cloudfree-s",
        "Licence": "Apache-2.0",
        "Weights SHA-256": "9f86d0",
        "Sentinel-2": "l1c.tif",
        "Sentinel-1": "l1c_s1.tif",
        "Sentinel-1 in": "db",
        "Shift": "+0.42 rows, -0.85 columns: reliable",
        "Mask": "l1c_mask.tif",
        "Truth": "l1c_truth.tif",
        "Size": "64 \N{MULTIPLICATION SIGN} 48 pixels",
        "Made by": "cloudfree 0.1.0",
    }
    assert {name: found[name] for name in expected} == expected
    assert found["Bands"].startswith("B01, B02")
    assert "10 m pixels" in found["Grid"]


def test_what_is_unknown_is_left_out(tmp_path: Path) -> None:
    found = metadata_of(tmp_path, CLOUDFREE_MASK=None, CLOUDFREE_MODEL=None)
    assert not {"Mask", "Model", "Heights", "Truth", "Adapted to the scene"} & set(found)


def test_without_a_shift_the_reason_is_given(tmp_path: Path) -> None:
    tags = {"CLOUDFREE_SHIFT_PX": "0,0", "CLOUDFREE_SHIFT_REASON": "not measured"}
    assert metadata_of(tmp_path, **tags)["Shift"] == "none: not measured"


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ({"CLOUDFREE_ADAPTED": "no: too few clear pixels"}, "no: too few clear pixels"),
        (
            {"CLOUDFREE_ADAPTED": "yes", "CLOUDFREE_ADAPTED_GAIN_DB": "1.5"},
            "yes, +1.50 dB on clear pixels held out",
        ),
    ],
)
def test_the_gain_of_the_adaptation_is_listed(
    tmp_path: Path, tags: dict[str, str], text: str
) -> None:
    assert metadata_of(tmp_path, **tags)["Adapted to the scene"] == text


def test_the_version_of_the_page_is_listed_if_it_is_another(tmp_path: Path) -> None:
    assert metadata_of(tmp_path / "a", CLOUDFREE_VERSION="0.0")["Page by"].endswith(__version__)
    assert "Page by" not in metadata_of(tmp_path / "b", CLOUDFREE_VERSION=__version__)


VOID = {"meta", "img", "input", "br", "link", "hr"}
EVIL = '"><script>alert(1)</script>&.tif'


class Parsed(HTMLParser):
    """Start tags with their attributes; fails where tags do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def picture(name: str, composite: str = "", height: int = 20, width: int = 30) -> Picture:
    pixels = np.full((height, width, 4), 255, np.uint8)
    return Picture(name, name.title(), f"caption of {name}", pixels, composite)


BEFORE = Metrics(pixels=1234, psnr=15.31, ssim=0.512, sam=12.34, mae=0.1567, rmse=0.2)
AFTER = Metrics(pixels=1234, psnr=27.45, ssim=0.834, sam=5.67, mae=0.0321, rmse=0.04)
BAND = BeforeAfter(
    Metrics(9, 11.11, 0.111, None, 0.1111, 0.1), Metrics(9, 22.22, 0.222, None, 0.0222, 0.1)
)
PAIR = BeforeAfter(BEFORE, AFTER)
SCENE = SceneSection(
    title="l1c_cloudfree.tif",
    filled=0.3419,
    unfilled=0.0,
    model="cloudfree-s",
    metadata=(("Licence", "Apache-2.0"), ("Weights SHA-256", "9f86d0")),
    fractions={"clear": 0.62, "cloud": 0.3, "shadow": 0.06, "snow": 0.02, "nodata": 0.1},
    warnings=("no radar over 3 % of the clouds",),
    pictures=(
        picture("before", "true"), picture("after", "true"), picture("before", "swir"),
        picture("after", "swir"), picture("sar"), picture("mask"), picture("outline"),
    ),
    comparison=Comparison(PAIR, PAIR, {"B8A": BAND}),
)  # fmt: skip


def changed(**fields) -> SceneSection:
    return SceneSection(**{**vars(SCENE), **fields})


def page_of(*sections: SceneSection) -> tuple[str, Parsed]:
    page = render(sections, "0.1.0")
    return page, Parsed(page)


def test_every_tag_is_closed_and_the_page_is_a_whole_document():
    page, parsed = page_of(SCENE, SCENE)
    assert page.startswith("<!DOCTYPE html>")
    assert [len(parsed.all(tag)) for tag in ("html", "head", "body", "article")] == [1, 1, 1, 2]


def test_the_page_needs_nothing_but_itself():
    page, parsed = page_of(SCENE, SCENE)
    assert not re.search(r"https?:|@import|url\(", page)
    assert parsed.all("link") == []
    sources = [a["src"] for _, a in parsed.tags if "src" in a]
    assert len(sources) == 2 * len(SCENE.pictures)
    assert all(source.startswith("data:image/") for source in sources)
    assert all(a["href"].startswith("#scene-") for _, a in parsed.tags if "href" in a)


def test_the_figures_stand_in_the_tables():
    _, parsed = page_of(SCENE)
    for number in ("15.31", "0.512", "12.34", "0.1567", "27.45", "0.834", "5.67", "0.0321"):
        assert parsed.text.count(number) == 2, number
    for number in ("11.11", "22.22", "0.111", "0.222", "0.1111", "0.0222"):
        assert number in parsed.text
    assert "PSNR ↑" in parsed.text
    assert "MAE ↓" in parsed.text


def test_the_better_figure_stands_out():
    page, _ = page_of(SCENE)
    assert '<td class="better">27.45</td>' in page
    worse = Comparison(None, BeforeAfter(AFTER, BEFORE), {})
    assert 'class="better"' not in page_of(changed(comparison=worse))[0]


def test_the_page_shows_how_the_scene_was_made():
    _, parsed = page_of(SCENE)
    for text in (
        "34.2 %",
        "cloudfree-s",
        "Apache-2.0",
        "9f86d0",
        "no radar over 3 %",
        "cloud 30.0 %",
    ):
        assert text in parsed.text


def test_without_truth_there_is_no_table_of_figures():
    _, parsed = page_of(changed(comparison=None))
    assert parsed.all("table") == []
    assert "UnCRtainTS" not in parsed.text


def test_several_scenes_have_a_list_of_contents_that_leads_to_them():
    _, parsed = page_of(SCENE, changed(title="other.tif", comparison=None))
    assert [a["href"] for a in parsed.all("a")] == ["#scene-1", "#scene-2"]
    assert [a["id"] for a in parsed.all("article")] == ["scene-1", "scene-2"]
    assert "15.31 → 27.45" in parsed.text
    assert "\N{EN DASH} → \N{EN DASH}" in parsed.text


def test_names_that_look_like_markup_stay_text():
    page, parsed = page_of(
        changed(title=EVIL, model=EVIL, warnings=(EVIL,), metadata=((EVIL, EVIL),)),
        changed(title=EVIL),
    )
    assert "<script>alert" not in page
    assert [a.get("type") for a in parsed.all("script")] == ["application/json"] * 2 + [None]
    assert parsed.text.count(EVIL) >= 6


def test_the_slider_can_be_named_and_moved_by_keyboard():
    _, parsed = page_of(SCENE)
    (slider,) = [a for a in parsed.all("input") if a["type"] == "range"]
    assert slider["aria-label"] == "Where the left picture ends and the right one begins"
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "100", "50")
    assert "tabindex" not in slider


def test_every_picture_says_what_it_shows():
    _, parsed = page_of(SCENE)
    shown = [a for a in parsed.all("img") if "src" in a]
    assert [a["alt"] for a in shown] == [picture.caption for picture in SCENE.pictures]


def test_the_menus_offer_each_picture_once_and_begin_with_before_and_after():
    _, parsed = page_of(SCENE)
    options = parsed.all("option")
    names = ["before", "after", "sar", "mask"]
    assert [a["value"] for a in options] == [*names, *names, "true", "swir"]
    assert [a["value"] for a in options if "selected" in a] == ["before", "after"]


def test_without_the_scene_before_the_slider_begins_with_the_radar():
    pictures = tuple(p for p in SCENE.pictures if p.name != "before")
    _, parsed = page_of(changed(pictures=pictures))
    assert [a["value"] for a in parsed.all("option") if "selected" in a] == ["sar", "after"]


def test_one_picture_alone_has_no_slider():
    _, parsed = page_of(changed(pictures=(picture("after", "true"),)))
    assert not [a for a in parsed.all("input") if a.get("type") == "range"]
    assert len([a for a in parsed.all("img") if "src" in a]) == 1


@pytest.mark.parametrize(
    ("name", "height", "width", "kind"),
    [
        ("after", 20, 30, "png"),
        ("after", SMALL_PX // 256, 256, "png"),
        ("after", 600, 700, "jpeg"),
        ("mask", 600, 700, "png"),
        ("reference_1", 20, 30, "jpeg"),
    ],
)
def test_pictures_inside_the_page_decode_to_their_size(name, height, width, kind):
    page, _ = page_of(changed(pictures=(picture(name, height=height, width=width),)))
    found, encoded = re.search(r"data:image/(\w+);base64,([^\"]+)", page).groups()
    quiet = ignored_warning(NotGeoreferencedWarning)
    with quiet, MemoryFile(base64.b64decode(encoded)) as memory, memory.open() as dataset:
        assert (found, dataset.height, dataset.width) == (kind, height, width)


def test_a_scene_of_one_row_keeps_a_stage_that_can_be_touched():
    page, _ = page_of(
        changed(
            pictures=(picture("before", height=1, width=999), picture("after", height=1, width=999))
        )
    )
    assert 'data-aspect="3.0000"' in page


def test_cloud_that_is_not_filled_is_said_where_there_is_some():
    assert "not filled" not in page_of(SCENE)[1].text
    text = page_of(changed(unfilled=0.125))[1].text
    assert "12.5 % lie under cloud or shadow without radar and are not filled." in text


def test_headings_and_captions_call_filled_pixels_filled():
    _, parsed = page_of(SCENE)
    for text in ("of the pixels filled with cloudfree-s", "Filled pixels (1", "on filled pixels"):
        assert text in " ".join(parsed.text.split())
    assert "Filled area" in parsed.text
    outlines = [a for a in parsed.all("img") if "src" not in a and a["alt"]]
    assert [a["alt"] for a in outlines] == ["Border of the filled pixels"]
    everything = changed(comparison=Comparison(None, PAIR, {"B8A": BAND}), filled=None)
    _, parsed = page_of(everything)
    assert "Metrics of each band, on all pixels" in parsed.text
    assert "of the pixels filled" not in parsed.text


FROM_DATES = changed(
    fill_shares={FillClass.REFERENCE_1: 0.9, FillClass.FILLED_BY_SCENE: 0.1},
    references=(
        UsedReference(path=PurePosixPath("dates/may.tif"), days=-25, share=0.9, error=0.0188),
        UsedReference(path=PurePosixPath("dates/june.tif"), days=4, share=0.0),
    ),
    pictures=(*SCENE.pictures, picture("reference_1", "true"), picture("reference_2")),
)


def test_other_dates_stand_in_a_table_with_the_colours_of_the_map():
    page, parsed = page_of(FROM_DATES)
    words = " ".join(parsed.text.split())
    assert "References: other dates of the place" in words
    for text in ("1 may.tif", "-25", "90.0 %", "0.0188", "2 june.tif", "+4", "0.0 %"):
        assert text in words.split("References: other dates")[1]
    assert f'fill="{rgb(FILL_COLOURS[FillClass.REFERENCE_2])}"' in page


def test_a_result_without_other_dates_has_no_table_of_them():
    text = page_of(changed(fill_shares={FillClass.FILLED: 1.0}))[1].text
    assert "References" not in text
    assert "What the filled pixels come from" not in text


def test_the_shares_of_what_filled_are_those_of_classes_that_occur():
    words = " ".join(page_of(FROM_DATES)[1].text.split())
    shares = words.split("What the filled pixels come from ")[1].split(" How it was made")[0]
    assert shares == "reference 1 90.0 % filled by the scene itself 10.0 %"


@pytest.mark.parametrize(
    ("shares", "with_what"),
    [
        ({}, "with cloudfree-s"),
        ({FillClass.FILLED: 1.0}, "with cloudfree-s"),
        ({FillClass.REFERENCE_1: 1.0}, "from 1 other date"),
        (
            {FillClass.REFERENCE_1: 0.5, FillClass.REFERENCE_3: 0.4, FillClass.FILLED: 0.1},
            "from 2 other dates and with cloudfree-s",
        ),
    ],
)
def test_the_first_sentence_says_what_filled(shares: dict[FillClass, float], with_what: str):
    words = " ".join(page_of(changed(fill_shares=shares))[1].text.split())
    assert f"34.2 % of the pixels filled {with_what}." in words


def test_other_dates_stand_in_the_menus_behind_the_result():
    _, parsed = page_of(FROM_DATES)
    names = ["before", "after", "reference_1", "reference_2", "sar", "mask"]
    assert [a["value"] for a in parsed.all("option")] == [*names, *names, "true", "swir"]


def test_cloud_that_no_date_shows_clear_is_said():
    text = page_of(replace(FROM_DATES, unfilled=0.125))[1].text
    assert "under cloud or shadow without radar or another clear date and are not" in text


def test_a_picture_has_its_own_legend():
    mask = replace(picture("mask"), legend={"original": (1, 2, 3), "filled": (4, 5, 6)})
    page, parsed = page_of(changed(pictures=(mask,), fractions={}))
    for name, colour in (("original", "rgb(1, 2, 3)"), ("filled", "rgb(4, 5, 6)")):
        assert f'fill="{colour}"/></svg>{name}</li>' in page
    assert "shadow" not in parsed.text.split("caption of mask")[1]


MASK = replace(picture("mask"), legend={"clear": (1, 2, 3), "cloud": (4, 5, 6)})
FILLED = replace(
    picture("filled"), legend={"original": (7, 8, 9), "filled by the network": (0, 1, 0)}
)


def _keys(page: str) -> dict[str, str]:
    """The legends below the slider by the picture that they belong to."""
    found = re.findall(r'<div class="key" data-key="(\w+)" hidden>(.*?)\n</div>\n', page, re.DOTALL)
    return dict(found)


def test_each_layer_of_the_slider_has_the_legend_of_what_it_shows():
    layers = (picture("before"), picture("after"), MASK, FILLED, picture("error"),
              picture("uncertainty"), picture("outline"))  # fmt: skip
    page, _ = page_of(changed(pictures=layers))
    keys = _keys(page)
    assert list(keys) == ["mask", "filled", "error", "uncertainty"]
    for one, other in ((MASK, FILLED), (FILLED, MASK)):
        assert f"<strong>{one.label}</strong>" in keys[one.name]
        for name, colour in one.legend.items():
            assert f'fill="{rgb(colour)}"/></svg>{name}</li>' in keys[one.name]
        assert not any(f"</svg>{name}</li>" in keys[one.name] for name in other.legend)
    for name in ("error", "uncertainty"):
        assert '<div class="ramp"></div>' in keys[name]
    assert ".ramp { background: linear-gradient(to right, rgb(0, 0, 4), " in page


def test_each_picture_of_the_gallery_has_the_legend_of_what_it_shows():
    page, _ = page_of(changed(pictures=(picture("after"), MASK, FILLED)))
    figures = dict(re.findall(r'<figure data-name="(\w+)"(.*?)</figure>', page, re.DOTALL))
    assert "</li>" not in figures["after"]
    for one, other in ((MASK, FILLED), (FILLED, MASK)):
        assert all(f"</svg>{name}</li>" in figures[one.name] for name in one.legend)
        assert not any(f"</svg>{name}</li>" in figures[one.name] for name in other.legend)


def test_the_script_and_the_style_are_not_escaped():
    page, _ = page_of(SCENE)
    assert "&gt;" not in page.split("<style>")[1].split("</style>")[0]
    assert "=> {" in page.split("<script>")[1]


@pytest.mark.parametrize(
    ("shown", "columns"), [(1, 3), (4, 4), (6, 3), (7, 4), (8, 4), (9, 3), (16, 4)]
)
def test_the_last_row_of_the_gallery_is_as_full_as_it_can_be(shown, columns):
    hidden = [picture("outline"), picture("after", "false"), picture("after", "swir")]
    assert gallery_columns([*[picture("after", "true")] * shown, *hidden]) == columns


def test_large_counts_have_digits_in_threes():
    space = "\N{NARROW NO-BREAK SPACE}"
    assert [thousands(number) for number in (7, 1234, 1234567)] == [
        "7", f"1{space}234", f"1{space}234{space}567"
    ]  # fmt: skip
