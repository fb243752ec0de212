"""How well one date is filled without any other: `python -m tests.bench.one_date [--bands 4]`.

Clear images with radar lie under drawn cumulus and its shadows, the mask is known, and `remove`
fills them: by the model alone, by the scene alone, and by both. Beside them stand the mean colour
of the clear ground, a smooth fill, and a ridge regression on radar with its residual smoothed over
the gap. PSNR of the hidden pixels in dB by region, the least gain over the regression first. With
`--clouds 13` both levels of an image lie under the same clouds. DATA
holds the folders of `mask_regions` and radar beside them; of `oscd` it is VV as a mean of three
months, where VV less 7 dB stands in for VH.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import rasterio

from cloudfree.commands.remove.options import RemoveOptions
from cloudfree.commands.remove.run import run
from cloudfree.core.bands import OPTICAL_BANDS, SAR_BANDS
from cloudfree.core.choices import FillBy
from cloudfree.core.radiometry import QUANTIFICATION, Float32
from cloudfree.core.terminal import muted_log, silent
from cloudfree.gapfilling.observation import RADAR_PX, averaged_db
from cloudfree.gapfilling.regression import ridge
from cloudfree.gapfilling.smoothing import spread
from tests.bench.one_date_cases import SUBSETS, Case, open_case, places
from tests.conftest import SHARED
from tests.factories.rasters import write_raster

# Regions on which settings were chosen or the model was trained; all others are seen for the first
# time.
TUNED = (
    "hongkong", "milano", "paris", "chongqing", "montpellier", "tanzania", "spain", "china",
    "forest", "namibia", "winter_112",
)  # fmt: skip
WAYS: Mapping[str, FillBy] = {"model": "network", "scene": "scene", "both": "auto"}
COLUMNS = ("mean", "smooth", "ridge", *WAYS, "within 1", "within 2")


def score(case: Case) -> dict[str, float]:
    """PSNR of hidden pixels by way, and the shares of errors within one and two deviations."""
    truth = case.clear[:, case.hidden]
    found = {"mean": psnr(_mean(case)[:, None], truth)}
    found["smooth"], found["ridge"] = psnr(_smooth(case), truth), psnr(_ridge(case), truth)
    with tempfile.TemporaryDirectory() as name:
        folder = write_inputs(case, Path(name))
        for column, way in WAYS.items():
            filled = _filled(case, folder, way)
            found[column] = psnr(filled, truth)
        ratio = np.abs(filled - truth) / _deviation(case, folder)
    found["within 1"], found["within 2"] = (100 * float((ratio < n).mean()) for n in (1, 2))
    return found


def psnr(filled: Float32, truth: Float32) -> float:
    """PSNR in dB of reflectance clipped to 0 to 1; NaN of nothing."""
    errors = np.clip(filled, 0, 1) - np.clip(truth, 0, 1)
    return float(-10 * np.log10(np.mean(errors**2)))


def _clear(case: Case) -> Float32:
    return np.asarray((case.mask == 0) & case.known, np.float32)


def _mean(case: Case) -> Float32:
    return np.asarray(case.clear[:, _clear(case) > 0].mean(axis=1), np.float32)


def _smooth(case: Case) -> Float32:
    return spread(np.nan_to_num(case.clear), _clear(case), _mean(case))[:, case.hidden]


def _ridge(case: Case) -> Float32:
    """Backscatter over 3, 7 and 15 pixels, linear, and its residual smoothed."""
    weight, image = _clear(case), np.nan_to_num(case.clear)
    planes = np.concatenate([averaged_db(case.radar, side) for side in RADAR_PX]) / 100
    planes = np.nan_to_num(planes)
    linear = ridge(planes[:, weight > 0].T, image[:, weight > 0].T)
    shown = linear(planes.reshape(len(planes), -1).T).T.reshape(image.shape)
    nothing = np.zeros(len(image), np.float32)
    return (shown + spread(image - shown, weight, nothing))[:, case.hidden]


def write_inputs(case: Case, folder: Path) -> Path:
    """The scene, its radar and its mask in files."""
    numbers = np.nan_to_num(np.rint(np.maximum(case.cloudy * QUANTIFICATION, 1)))
    optical = np.minimum(numbers, 65535).astype(np.uint16)
    level = "L1C" if "B10" in case.bands else "L2A"
    tags = {"LEVEL": level, "RADIO_ADD_OFFSET": "0"}
    write_raster(folder / "s2.tif", optical, case.bands, nodata=0, **tags)
    write_raster(folder / "s1.tif", case.radar, SAR_BANDS)
    write_raster(folder / "mask.tif", case.mask[None], ["mask"])
    return folder


def _filled(case: Case, folder: Path, way: FillBy) -> Float32:
    """Hidden pixels of the result, (band, pixel); NaN where the model alone cannot be used."""
    if way == "network" and len(case.bands) < len(OPTICAL_BANDS):
        return np.full((len(case.bands), int(case.hidden.sum())), np.nan, np.float32)
    output = folder / "filled.tif"
    options = RemoveOptions(
        s2=folder / "s2.tif", s1=(folder / "s1.tif",), mask=folder / "mask.tif", output=output,
        s2_offset=0.0, shift="none", fill_by=way, uncertainty=way == "auto", overwrite=True,
    )  # fmt: skip
    run(options, silent)
    with rasterio.open(output) as dataset:
        return np.asarray(dataset.read() / QUANTIFICATION, np.float32)[:, case.hidden]


def _deviation(case: Case, folder: Path) -> Float32:
    with rasterio.open(folder / "filled_uncertainty.tif") as dataset:
        scales = np.array(dataset.scales, np.float32)
        return (dataset.read() * scales[:, None, None])[:, case.hidden]


def table(scores: Sequence[tuple[Case, dict[str, float]]]) -> Iterator[str]:
    """A row for each region, the least gain first, then the means of regions not tuned on."""
    regions: dict[str, list[dict[str, float]]] = {}
    for case, found in scores:
        regions.setdefault(case.place.region, []).append(found)
    means = {
        name: {column: _mean_of([one[column] for one in found]) for column in COLUMNS}
        for name, found in regions.items()
    }
    yield f"{'':16}" + "".join(f"{column:>10}" for column in COLUMNS)
    for name in sorted(means, key=lambda one: means[one]["both"] - means[one]["ridge"]):
        yield _row(f"{name}{'*' if name in TUNED else ''}", means[name])
    unseen = [mean for name, mean in means.items() if name not in TUNED]
    yield _row("mean, not tuned", {c: _mean_of([mean[c] for mean in unseen]) for c in COLUMNS})


def _mean_of(values: Sequence[float]) -> float:
    """The mean of those that are known."""
    known = [one for one in values if np.isfinite(one)]
    return float(np.mean(known)) if known else float("nan")


def _row(name: str, values: Mapping[str, float]) -> str:
    return f"{name:16}" + "".join(f"{values[column]:10.2f}" for column in COLUMNS)


def main() -> None:
    """Score all places, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    parser.add_argument("--bands", type=int, choices=[*SUBSETS], default=13)
    parser.add_argument("--region", action="append")
    parser.add_argument("--clouds", type=int, metavar="N", help="draw N of clouds over all images")
    given = parser.parse_args()
    scores = []
    for number, place in enumerate(places(given.data)):
        if given.region and place.region not in given.region:
            continue
        with muted_log():
            clouds = number if given.clouds is None else given.clouds
            case = open_case(place, clouds, given.bands)
            scores.append((case, score(case)))
        print(place.name, *(f"{one:.2f}" for one in scores[-1][1].values()), flush=True)
    print("\n".join(table(scores)))


if __name__ == "__main__":
    main()
