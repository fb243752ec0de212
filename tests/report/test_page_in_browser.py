"""Pages in headless Chromium: what moves, what the screen shows, and that nothing complains."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cloudfree.commands.report.options import ReportOptions
from cloudfree.commands.report.run import run
from cloudfree.core.terminal import silent
from tests.core.test_batch_log import record, write_log
from tests.factories.browser import Browser, open_browser
from tests.factories.results import write_result
from tests.report.test_page import EVIL

HEIGHT, WIDTH, OVERVIEW_PX = 500, 600, 256
EVIL_STEM = '"><img src=x onerror="window.ran=1"><script>window.ran=2'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        found.resize(1200, 1000)
        yield found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result with truth and log, whose overview is smaller than the result."""
    folder = tmp_path_factory.mktemp("filled")
    fake = write_result(folder, HEIGHT, WIDTH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudfree.report.quicklooks.LONGEST_PX", OVERVIEW_PX)
        patch.setattr("cloudfree.report.zoom.TILE_PX", 200)
        run(ReportOptions((fake.result,), folder / "page.html", (fake.truth,)), silent)
    return folder / "page.html"


@pytest.fixture
def shown(browser: Browser, page: Path) -> Iterator[Browser]:
    """The page, freshly loaded, with the stage in sight; at the end the console is empty."""
    browser.open(page)
    browser.run("document.querySelector('.stage').scrollIntoView({block: 'center'})")
    browser.run("document.querySelector('.stage input').focus()")
    yield browser
    assert browser.messages() == []


def value_of_slider(browser: Browser) -> float:
    return float(browser.run("return document.querySelector('.stage input').value"))


def box_of(browser: Browser, selector: str) -> dict[str, float]:
    script = "return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()"
    found: dict[str, float] = browser.run(script, selector)
    return found


def stage_pixels(browser: Browser) -> NDArray[np.uint8]:
    """The stage on the screen, (y, x, 3), without the bar and the names."""
    image = cv2.imdecode(np.frombuffer(browser.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    box = box_of(browser, ".stage")
    left, top = round(box["left"]), round(box["top"])
    stage = image[top : top + round(box["height"]), left : left + round(box["width"])]
    return np.asarray(stage[60:-10, 10:-10], dtype=np.uint8)


def changed_share(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    difference = np.abs(after.astype(int) - before).max(axis=-1)
    return float((difference > 20).mean())


def zoom_of(browser: Browser) -> float:
    """How many times wider the picture is than at first."""
    box, stage = box_of(browser, ".side.right .plane"), box_of(browser, ".stage")
    return box["width"] / stage["width"]


def test_a_page_loads_without_a_word_in_the_console(shown: Browser) -> None:
    assert shown.run("return document.documentElement.className") == "scripted"
    pictures = "return [...document.images].every((one) => !one.src || one.naturalWidth > 0)"
    assert shown.run(pictures)


def test_arrows_move_the_slider_and_with_it_the_pixels(shown: Browser) -> None:
    """The cloud in the middle lies under the left picture, and is gone in the right one."""
    before = stage_pixels(shown)
    for _ in range(8):
        shown.press("Right")
    assert value_of_slider(shown) == 66
    wider = stage_pixels(shown)
    assert wider.mean() > before.mean(), "more of the cloudy scene is seen"
    assert 0.01 < changed_share(before, wider) < 0.3
    for _ in range(8):
        shown.press("Left")
    assert value_of_slider(shown) == 50
    assert changed_share(before, stage_pixels(shown)) < 0.001


def test_on_a_page_of_one_result_keys_need_no_focus_and_up_and_down_scroll(
    shown: Browser,
) -> None:
    shown.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    shown.press("Down")
    assert value_of_slider(shown) == 50
    shown.press("Right")
    assert value_of_slider(shown) == 52
    shown.press("+")
    assert zoom_of(shown) == pytest.approx(1.5, rel=0.01)


def test_the_slider_says_what_it_shows(shown: Browser) -> None:
    shown.press("Right")
    text = shown.run("return document.querySelector('.stage input').ariaValueText")
    assert text == "52 % Before, 48 % After"


def test_the_mouse_drags_the_slider(shown: Browser) -> None:
    stage = box_of(shown, ".stage")
    middle = stage["top"] + stage["height"] / 2
    start, end = (stage["left"] + share * stage["width"] for share in (0.5, 0.25))
    shown.drag((start, middle), (end, middle))
    assert value_of_slider(shown) == pytest.approx(25, abs=0.5)


@pytest.mark.parametrize("composite", ["false", "swir"])
def test_the_colours_can_be_switched(shown: Browser, composite: str) -> None:
    before = stage_pixels(shown)
    shown.run(
        "const menu = document.querySelector('[data-switch=composite]');"
        "menu.value = arguments[0]; menu.dispatchEvent(new Event('change'))",
        composite,
    )
    assert changed_share(before, stage_pixels(shown)) > 0.05
    script = """return [...document.querySelectorAll('figure[data-composite]:not([hidden])')]
      .map((figure) => figure.dataset.name + ' ' + figure.dataset.composite)"""
    assert shown.run(script) == [f"{name} {composite}" for name in ("before", "after", "truth")]


def test_the_key_of_the_colours_goes_round(shown: Browser) -> None:
    found = []
    for _ in range(4):
        found.append(shown.run("return document.querySelector('[data-switch=composite]').value"))
        shown.press("c")
    assert found == ["true", "false", "swir", "true"]


def test_digits_choose_the_pictures(shown: Browser) -> None:
    choices = "return [...document.querySelectorAll('select[data-side]')].map((one) => one.value)"
    before = stage_pixels(shown)
    shown.press("5")
    assert shown.run(choices) == ["before", "mask"]
    assert changed_share(before, stage_pixels(shown)) > 0.2
    assert shown.run("return document.querySelector('[data-key=mask]').hidden") is False
    shown.press("4", "Shift")
    assert shown.run(choices) == ["sar", "mask"]
    shown.press("9")
    assert shown.run(choices) == ["sar", "mask"], "there are fewer"


def test_the_filled_area_can_be_outlined(shown: Browser) -> None:
    before = stage_pixels(shown)
    shown.press("o")
    after = stage_pixels(shown)
    yellow = (after[..., 0] < 60) & (after[..., 1] > 180) & (after[..., 2] > 200)
    assert yellow.any()
    assert 0 < changed_share(before, after) < 0.2


def test_keys_zoom_to_the_pixels_of_the_result(shown: Browser) -> None:
    tiles = "return document.querySelectorAll('.side.right .plane img').length - 1"
    status = "return document.querySelector('.status').textContent"
    before = stage_pixels(shown)
    for _ in range(3):
        shown.press("+")
    assert zoom_of(shown) == pytest.approx(1.5**3, rel=0.01)
    assert shown.run(tiles) > 0
    assert shown.run(status) == "Zoom 3.4\u00d7, pixels of 10 m"
    assert changed_share(before, stage_pixels(shown)) > 0.01
    shown.press("-")
    assert zoom_of(shown) == pytest.approx(1.5**2, rel=0.01)
    shown.press("0")
    assert zoom_of(shown) == pytest.approx(1, rel=0.01)
    assert changed_share(before, stage_pixels(shown)) < 0.001


def test_tiles_show_what_the_overview_shows(shown: Browser) -> None:
    """Zoomed in, the picture without its tiles is the same, but coarser."""
    shown.press("+")
    shown.press("+")
    fine = stage_pixels(shown)
    shown.run(
        "for (const tile of document.querySelectorAll('.plane img + img')) tile.hidden = true"
    )
    coarse = stage_pixels(shown)
    assert np.abs(fine.astype(int).mean(axis=(0, 1)) - coarse.mean(axis=(0, 1))).max() < 3
    assert 0.001 < changed_share(fine, coarse) < 0.5


def test_a_zoomed_picture_can_be_moved_to_its_edges_and_no_further(shown: Browser) -> None:
    stage = box_of(shown, ".stage")
    for _ in range(2):
        shown.press("+")
    start = box_of(shown, ".side.right .plane")["left"]
    shown.press("Right", "Shift")
    assert box_of(shown, ".side.right .plane")["left"] < start
    x, y = stage["left"] + 0.8 * stage["width"], stage["top"] + 0.5 * stage["height"]
    shown.drag((x, y), (x - 50, y))
    for _ in range(20):
        shown.press("Right", "Shift")
    plane = box_of(shown, ".side.right .plane")
    assert plane["right"] == pytest.approx(stage["right"], abs=1)
    assert value_of_slider(shown) == 50


def test_buttons_zoom_and_are_named(shown: Browser) -> None:
    names = """return [...document.querySelectorAll('.buttons button')]
      .map((one) => one.ariaLabel || one.textContent)"""
    assert shown.run(names) == ["Zoom out", "Zoom in", "Whole scene", "Full screen"]
    shown.run("document.querySelector('[data-zoom=in]').click()")
    assert zoom_of(shown) == pytest.approx(1.5, rel=0.01)
    shown.run("document.querySelector('[data-zoom=fit]').click()")
    assert zoom_of(shown) == pytest.approx(1, rel=0.01)
    assert shown.run("return document.querySelector('[data-zoom=out]').disabled")


def test_the_tab_key_reaches_the_slider_and_its_focus_is_seen(shown: Browser) -> None:
    shown.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    for _ in range(12):
        shown.press("Tab")
        if shown.run("return document.activeElement.type") == "range":
            break
    width = "return getComputedStyle(document.querySelector('.stage')).outlineWidth"
    assert shown.run(width) == "3px"


@pytest.mark.parametrize("width", [400, 800, 1900])
def test_no_page_is_wider_than_its_window(browser: Browser, page: Path, width: int) -> None:
    browser.resize(width, 900)
    browser.open(page)
    script = "const root = document.documentElement; return root.scrollWidth - root.clientWidth"
    assert browser.run(script) == 0
    browser.resize(1200, 1000)


def test_the_index_leads_to_the_pages_and_finds_names(browser: Browser, tmp_path: Path) -> None:
    for stem in ("april", "may"):
        write_result(tmp_path, stem=stem)
    write_log(tmp_path / "batch.jsonl", record(EVIL, "2024", "failed", code="io", message=EVIL))
    run(ReportOptions((tmp_path,)), silent)
    browser.open(tmp_path / "index.html")
    browser.run(
        "const box = document.querySelector('input[type=search]');"
        "box.value = 'MAY'; box.dispatchEvent(new Event('input'))"
    )
    cards = (
        "return [...document.querySelectorAll('.card:not([hidden]) h2')].map((h) => h.textContent)"
    )
    assert browser.run(cards) == ["may_cloudfree.tif"]
    assert browser.run("return document.querySelector('.search [role=status]').textContent") == (
        "1 of 2"
    )
    browser.run("document.querySelector('.card:not([hidden]) a').click()")
    assert browser.run("return document.querySelector('h1').textContent") == "may_cloudfree.tif"
    assert browser.messages() == []


def test_names_that_look_like_markup_run_nothing(browser: Browser, tmp_path: Path) -> None:
    name = EVIL_STEM.replace("/", "")
    write_result(tmp_path, stem=name, CLOUDFREE_WARNINGS=EVIL, CLOUDFREE_MODEL=EVIL)
    run(ReportOptions((tmp_path,)), silent)
    for page in tmp_path.glob("*.html"):
        browser.open(page)
        assert browser.run("return window.ran === undefined")
        assert browser.messages() == []


def test_markup_that_came_into_a_page_could_not_run(shown: Browser) -> None:
    """The policy of the page stops it, and says so in the console."""
    shown.run(
        "document.body.insertAdjacentHTML('beforeend',"
        ' \'<img src=x onerror="window.ran=1"><p style="color: red" id=styled>\');'
        "const script = document.createElement('script');"
        "script.textContent = 'window.ran = 2'; document.body.append(script)"
    )
    assert shown.run("return window.ran === undefined")
    assert shown.run("return getComputedStyle(document.getElementById('styled')).color") != (
        "rgb(255, 0, 0)"
    )
    assert shown.run(
        "return fetch('https://127.0.0.1:9/').then(() => 'asked', () => 'stopped')"
    ) == ("stopped")
    complaints = shown.messages()
    assert complaints
    assert all("Content Security Policy" in one for one in complaints)
