"""The images on which masks are judged: read once, in their groups, with fewer bands if wanted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import rasterio

from cloudfree.core.radiometry import QUANTIFICATION, Float32
from tests.bench.mask_counts import Where
from tests.bench.mask_regions import SNOW_MONTHS, TOWNS, TRIPLETS

TEN_BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
FOUR_BANDS = ("B02", "B03", "B04", "B08")
TERRAMESH = ("tanzania", "chile")
SNOW_REGION = "finland"
# Images of the cloudy kind that show no cloud at all; the first has shadows.
CLOUDLESS = (
    (SNOW_REGION, "m00"), ("fall_148", "p521"), ("winter_112", "winter112p797"),
    ("summer_101", "p100"), ("summer_101", "p505"), ("summer_102", "p840"), ("dry_hills", "0316"),
)  # fmt: skip
# Rows and columns of cloud in clear images, left out: two tiny ones at the left edge.
REAL_CLOUDS = {("summer_101", "p505"): (slice(92, 232), slice(0, 36))}


@dataclass(frozen=True)
class Scene:
    """An image of a region: reflectance (band, y, x), NaN without data; `kind` is that of its file.

    A clear image of a cloudy one lies in a file of the same name. The sun's azimuth is known where
    it was drawn, as metadata have it.
    """

    region: str
    name: str
    kind: str
    planes: Float32
    bands: tuple[str, ...]
    sun_azimuth_deg: float | None = None

    @property
    def group(self) -> str:
        """What kind of region it is of."""
        if self.region in TRIPLETS:
            return "triplets"
        if self.region in TOWNS:
            return "towns"
        if self.region in TERRAMESH:
            return "terramesh"
        return "spain" if self.region == "spain" else "others"

    @property
    def form(self) -> str:
        """Level and number of bands of the file."""
        return f"{'L1C' if 'B10' in self.bands else 'L2A'}, {len(self.bands)} bands"

    @property
    def snowy(self) -> bool:
        """Whether it is of a month of snow, where no pixel is cloud."""
        return self.region == SNOW_REGION and self.name in SNOW_MONTHS

    @cached_property
    def valid(self) -> Where:
        """Where there is data, and no real cloud in a clear image."""
        valid = np.isfinite(self.planes).all(axis=0)
        if self.kind == "clear" and (part := REAL_CLOUDS.get((self.region, self.name))):
            valid[part] = False
        return np.asarray(valid)

    def band(self, name: str) -> Float32:
        """A band, (y, x)."""
        return self.planes[self.bands.index(name)]

    def with_bands(self, bands: tuple[str, ...]) -> Scene:
        """The image with these bands alone."""
        return replace(self, bands=bands, planes=np.stack([self.band(name) for name in bands]))


def read_regions(folder: Path) -> dict[str, list[Scene]]:
    """All images by region: NAME_KIND.tif in a folder of its name."""
    return {path.name: list(_region(path)) for path in sorted(folder.iterdir()) if path.is_dir()}


def distinct(scenes: list[Scene]) -> list[Scene]:
    """Clear images of a region, each once, under its own name where it has one."""
    cloudy = {scene.name for scene in scenes if scene.kind == "cloudy"}
    clear = [scene for scene in scenes if scene.kind == "clear"]
    found = dict[bytes, Scene]()
    for scene in sorted(clear, key=lambda one: one.name in cloudy):
        found.setdefault(scene.planes.tobytes(), scene)
    return list(found.values())


def pairs(scenes: list[Scene]) -> Iterator[tuple[Scene, Scene]]:
    """Cloudy images of a region with the clear image of each; none that shows no cloud."""
    clear = {scene.name: scene for scene in scenes if scene.kind == "clear"}
    for scene in scenes:
        if scene.kind == "cloudy" and (scene.region, scene.name) not in CLOUDLESS:
            yield scene, clear[scene.name]


def _region(folder: Path) -> Iterator[Scene]:
    for path in sorted(folder.glob("*.tif")):
        name, _, kind = path.stem.rpartition("_")
        with rasterio.open(path) as dataset:
            numbers = dataset.read()
            bands = tuple(str(text) for text in dataset.descriptions)
        planes = numbers.astype(np.float32) / np.float32(QUANTIFICATION)
        planes[:, (numbers == 0).all(axis=0)] = np.nan
        yield Scene(folder.name, name, kind, planes, bands)
