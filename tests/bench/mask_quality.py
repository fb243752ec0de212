"""Judge cloud masks on the regions: clear ground, simulated clouds, real pairs, snow, shadows.

    python -m tests.bench.mask_regions --data DATA --regions REGIONS
    python -m tests.bench.mask_quality --regions REGIONS [--detector NAME ...] [--weights FOLDER]
        [--difference 0.04] [--bands all|10|4] [--quick] [--out FILE.json] [--pictures FOLDER]

Masks are not dilated, except those of `s2cloudless_dilated`. All figures are percent of pixels; a
detector that cannot take the bands of an image has n/a there, and its means lack the image.

* Clear ground taken for cloud, and for shadow: of all clear images, each once, without the snow
  months; the same with the 10 bands of 10 and 20 m, and with 4 bands, of the same images.
* Simulated clouds found (thick, thin, faint, haze), ground beside them taken for cloud, and their
  shadows: `mask_simulated` states what counts.
* Real clouds: intersection over union of the cloud of the mask with the difference to the clear
  image of the pair. A pixel is cloud where the least of (cloudy - clear) over B02, B03 and B04,
  after a 5 x 5 median, is above `--difference` in reflectance. The clear images are of other dates:
  ground that has become brighter counts as cloud, and cloud over brighter ground does not.
  Images of the cloudy kind without any cloud (`mask_scenes.CLOUDLESS`) are left out.
* Snow taken for cloud: all pixels of the snow months, and pixels with NDSI above 0.4 and B03 above
  0.2 in clear images of regions that have at least 2 % of them. In towns these are roofs and water.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from cloudfree.core.mask_classes import Mask, MaskClass
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import muted_log
from tests.bench.mask_counts import Count, Where, is_class, overlap, share
from tests.bench.mask_detectors import DETECTORS, Detect
from tests.bench.mask_pictures import save
from tests.bench.mask_report import (
    CLOUD_ON_CLEAR,
    FAINT,
    FALSE_BESIDE,
    HAZE,
    IOU,
    SHADOW_ON_CLEAR,
    SHADOW_PRECISION,
    SHADOW_RECALL,
    SNOW,
    THICK,
    THIN,
    report,
    summary,
)
from tests.bench.mask_scenes import (
    FOUR_BANDS,
    TEN_BANDS,
    Scene,
    distinct,
    pairs,
    read_regions,
)
from tests.bench.mask_simulated import (
    TIMES,
    Draw,
    draws,
    layers_of,
    truth_mask,
    truth_of,
)

DIFFERENCE = 0.04
MEDIAN_PX = 5
VISIBLE = ("B02", "B03", "B04")
SNOW_NDSI, SNOW_GREEN, SNOW_SHARE = 0.4, 0.2, 0.02
EVERY = 3  # image that a quick run takes
FEWER_BANDS = {"10": TEN_BANDS, "4": FOUR_BANDS}


@dataclass
class Judge:
    """Detectors at work: what they found, in how many seconds of CPU, and pictures of it."""

    detects: dict[str, Detect]
    pictures: Path | None
    counts: list[Count] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    pixels: dict[str, int] = field(default_factory=dict)

    def masks(self, scene: Scene, truth: Mask | None = None) -> dict[str, Mask | None]:
        """The mask of each detector; None where it cannot take the bands."""
        found = {name: self._mask(name, scene) for name in self.detects}
        if self.pictures:
            shown = found if truth is None else {"truth": truth, **found}
            save(scene, shown, self.pictures / f"{scene.region}_{scene.name}_{scene.kind}.png")
        return found

    def count(self, figure: str, detector: str, scene: Scene, hit_total: tuple[int, int]) -> None:
        """Take in a figure of an image."""
        place = scene.region, scene.name, scene.group, scene.form
        self.counts.append(Count(figure, detector, *place, *hit_total))

    def _mask(self, name: str, scene: Scene) -> Mask | None:
        start = time.process_time()
        mask = self.detects[name](scene.planes, scene.bands, scene.sun_azimuth_deg)
        if mask is not None:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start
            self.pixels[name] = self.pixels.get(name, 0) + mask.size
        return mask


def judge_clear(judge: Judge, scene: Scene) -> None:
    """Cloud and shadow on a clear image, and on what of it looks like snow."""
    snow = scene.valid if scene.snowy else snow_like(scene)
    for name, mask in judge.masks(scene).items():
        if mask is None:
            continue
        cloud, shadow = (is_class(mask, one) for one in (MaskClass.CLOUD, MaskClass.SHADOW))
        judge.count(SNOW, name, scene, share(cloud, snow))
        if not scene.snowy:
            judge.count(CLOUD_ON_CLEAR, name, scene, share(cloud, scene.valid))
            judge.count(SHADOW_ON_CLEAR, name, scene, share(shadow, scene.valid))


def judge_fewer_bands(judge: Judge, scene: Scene) -> None:
    """Cloud on a clear image with fewer bands than it has."""
    for bands in FEWER_BANDS.values():
        if scene.snowy or not set(bands) < set(scene.bands):
            continue
        fewer = replace(scene.with_bands(bands), kind=f"clear_{len(bands)}_bands")
        valid = scene.valid  # real clouds are left out of clear images alone
        for name, mask in judge.masks(fewer).items():
            if mask is not None:
                hit_total = share(is_class(mask, MaskClass.CLOUD), valid)
                judge.count(f"{CLOUD_ON_CLEAR}, {len(bands)} bands", name, scene, hit_total)


def judge_pair(judge: Judge, cloudy: Scene, clear: Scene, difference: float) -> None:
    """Real clouds against the difference to the clear image."""
    reference, valid = brighter(cloudy, clear, difference), cloudy.valid & clear.valid
    shown = np.where(reference, np.uint8(MaskClass.CLOUD), np.uint8(MaskClass.CLEAR))
    for name, mask in judge.masks(cloudy, shown).items():
        if mask is not None:
            hit_total = overlap(is_class(mask, MaskClass.CLOUD), reference, valid)
            judge.count(IOU, name, cloudy, hit_total)


def judge_draw(judge: Judge, draw: Draw) -> None:
    """Simulated clouds found, and their shadows."""
    truth, valid = truth_of(draw.atmosphere, draw.kind, draw.own_dimming), draw.scene.valid
    for name, mask in judge.masks(draw.scene, truth_mask(truth)).items():
        if mask is None:
            continue
        cloud, shadow = (is_class(mask, one) for one in (MaskClass.CLOUD, MaskClass.SHADOW))
        for figure, found, among in (
            (THICK, cloud, truth.thick),
            (THIN, cloud, truth.thin),
            (FAINT, cloud, truth.faint),
            (HAZE, cloud, truth.haze),
            (FALSE_BESIDE, cloud, truth.beside),
            (SHADOW_RECALL, shadow, truth.shadow),
            (SHADOW_PRECISION, truth.shadow, shadow & (truth.shadow | truth.light)),
        ):
            judge.count(figure, name, draw.scene, share(found, among & valid))


def brighter(cloudy: Scene, clear: Scene, difference: float) -> Where:
    """Where a cloudy image is brighter than the clear one in all visible bands, (y, x)."""
    change = np.stack([cloudy.band(name) - clear.band(name) for name in VISIBLE]).min(axis=0)
    smooth = cv2.medianBlur(np.nan_to_num(change).astype(np.float32), MEDIAN_PX)
    return np.asarray(smooth > difference)


def snow_like(scene: Scene) -> Where:
    """Where an image has the colour of snow, (y, x); nowhere without B11."""
    if "B11" not in scene.bands:
        return np.zeros(scene.valid.shape, np.bool_)
    green, short_wave = scene.band("B03"), scene.band("B11")
    return np.asarray(scene.valid & (ndsi(green, short_wave) > SNOW_NDSI) & (green > SNOW_GREEN))


def ndsi(green: Float32, short_wave: Float32) -> Float32:
    """The snow index of reflectance; -1 without light."""
    total = green + short_wave
    return np.where(total > 0, (green - short_wave) / np.where(total > 0, total, 1), -1)


def with_snow(counts: Sequence[Count], regions: Mapping[str, Sequence[Scene]]) -> list[Count]:
    """The counts without snow of regions that have little of it."""
    snowy = {region for region, scenes in regions.items() if snow_share(scenes) >= SNOW_SHARE}
    return [count for count in counts if count.figure != SNOW or count.region in snowy]


def snow_share(scenes: Sequence[Scene]) -> float:
    """Share of the pixels of clear images that have the colour of snow; 1 with snow months."""
    clear = distinct(list(scenes))
    if any(scene.snowy for scene in clear):
        return 1.0
    valid_px = sum(int(scene.valid.sum()) for scene in clear)
    return sum(int(snow_like(scene).sum()) for scene in clear) / max(valid_px, 1)


def judge_regions(
    regions: Mapping[str, Sequence[Scene]], judge: Judge, options: argparse.Namespace
) -> None:
    """All figures of all regions."""
    layers = layers_of(regions)
    step, times = (EVERY, 1) if options.quick else (1, TIMES)
    for region, scenes in regions.items():
        judge.detects = {
            name: DETECTORS[name](region, options.weights) for name in options.detector
        }
        for scene in with_chosen_bands(distinct(list(scenes))[::step], options.bands):
            judge_clear(judge, scene)
            judge_fewer_bands(judge, scene)
        for cloudy, clear in list(pairs(list(scenes)))[::step]:
            (fewer,) = with_chosen_bands([cloudy], options.bands)
            judge_pair(judge, fewer, clear, options.difference)
        for draw in draws(region, scenes, layers, times):
            (fewer,) = with_chosen_bands([draw.scene], options.bands)
            judge_draw(judge, replace(draw, scene=fewer))
        if judge.pictures:
            for scene in with_chosen_bands([s for s in scenes if s.kind == "only"], options.bands):
                judge.masks(scene)


def with_chosen_bands(scenes: Sequence[Scene], bands: str) -> Iterator[Scene]:
    """Images with the bands that the whole run is to have."""
    for scene in scenes:
        wanted = FEWER_BANDS.get(bands, scene.bands)
        yield scene.with_bands(wanted) if set(wanted) < set(scene.bands) else scene


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--regions", type=Path, required=True)
    parser.add_argument("--detector", nargs="+", choices=DETECTORS, default=list(DETECTORS))
    parser.add_argument("--weights", type=Path, help="A.onnx, B.onnx, C.onnx: without that fold")
    parser.add_argument("--difference", type=float, default=DIFFERENCE)
    parser.add_argument("--bands", choices=("all", *FEWER_BANDS), default="all")
    parser.add_argument("--quick", action="store_true", help="every third image, one draw a kind")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--pictures", type=Path)
    return parser.parse_args()


def main() -> None:
    """Read the command line, judge, print the tables."""
    options = _options()
    cv2.setNumThreads(1)
    regions = read_regions(options.regions)
    judge = Judge({}, options.pictures)
    with muted_log():
        judge_regions(regions, judge, options)
    counts = with_snow(judge.counts, regions)
    speed = {name: judge.seconds[name] / (judge.pixels[name] / 1e6) for name in judge.seconds}
    print(report(counts, options.detector, speed))
    if options.out:
        result = {
            "options": {key: str(value) for key, value in vars(options).items()},
            "cpu_seconds_per_megapixel": speed,
            "figures": summary(counts, options.detector),
            "counts": [asdict(count) for count in counts],
        }
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
