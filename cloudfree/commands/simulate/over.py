"""`cloudfree simulate --over`: simulated clouds over a given clear scene."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloudfree.cloudmask.mask_file import mask_profile
from cloudfree.commands.simulate.options import SimulateOptions, output_paths
from cloudfree.core.acquisition import SUN_AZIMUTH_TAG
from cloudfree.core.grid import Grid
from cloudfree.core.mask_classes import Mask, MaskClass, class_fractions, is_cloud_or_shadow
from cloudfree.core.output_set import OutputSet
from cloudfree.core.radiometry import Float32
from cloudfree.core.terminal import Progress
from cloudfree.datasets.real_clouds import CLEAR_SHARE, cloud_share, read_real_clouds
from cloudfree.errors import ErrorCode, InputError, OutputError
from cloudfree.raster.cog import CogProfile, CogWriter
from cloudfree.raster.warp import displacement_px, pixel_size_m
from cloudfree.sentinel2.metadata import number_of
from cloudfree.sentinel2.optical_scene import OpticalScene
from cloudfree.simulation.add_clouds import draw_cloud_parameters, make_atmosphere
from cloudfree.simulation.atmosphere import Atmosphere, apply_atmosphere
from cloudfree.simulation.cloud_fields import CloudParameters, Sun
from cloudfree.simulation.cloud_layer import OPACITY_BANDS, CloudLayer
from cloudfree.simulation.land_cover import PIXEL_M

logger = logging.getLogger("cloudfree")

SUN_ZENITH_TAG = "MEAN_SUN_ZENITH_ANGLE"
KIND_TAG, SEED_TAG = "CLOUDFREE_SIMULATED_CLOUDS", "CLOUDFREE_SIMULATION_SEED"

# Cloud sizes are for pixels of 10 m; pixels that differ by more than this factor get a warning.
_PIXEL_RATIO = 2.0


@dataclass(frozen=True)
class CloudedScene:
    """A scene with simulated clouds: files, fractions of the valid pixels, sun position."""

    s2_cloudy: Path
    s2_clear: Path
    truth_mask: Path
    cloud: float
    shadow: float
    sun_azimuth_deg: float
    sun_elevation_deg: float
    cloud_height_m: float


@dataclass(frozen=True)
class SimulateOverResult:
    """The scenes that were written."""

    kind: str
    scenes: tuple[CloudedScene, ...]

    def summary(self) -> str:
        """A few lines of text."""
        return "\n".join(
            f"{scene.s2_cloudy}\n"
            f"  {scene.cloud:.1%} of the pixels lie under cloud ({self.kind}), "
            f"{scene.shadow:.1%} in its shadow\n"
            f"  sun at {scene.sun_azimuth_deg:.0f} degrees from north, "
            f"{scene.sun_elevation_deg:.0f} above the horizon"
            for scene in self.scenes
        )


def run_over(options: SimulateOptions, clear: Path, progress: Progress) -> SimulateOverResult:
    """Put clouds over a clear scene, `count` times.

    Raises
    ------
    InputError
        No optical bands, or no real clouds for that kind.
    OutputError
        A file exists already, or the folder cannot be created.
    """
    count = options.count or 1
    with OpticalScene(clear, options.s2_offset) as scene:
        _check(scene)
        _check_creation_options(options, scene)
        paths = [_paths(options, number, scene) for number in range(count)]
        layers = _layers(options, scene, progress)
        native, reflectance = _read(scene)
        drawn = [
            _write_one(options, scene, native, reflectance, layers, number, paths[number])
            for number in progress(range(count), count, "clouds", "image")
        ]
    return SimulateOverResult(options.kind or "mixed", tuple(drawn))


def _check(scene: OpticalScene) -> None:
    """Check that the scene is reflectance, and warn of what looks less than real."""
    scene.require(OPACITY_BANDS, "clouds")
    if scene.is_picture:
        raise InputError(
            f"an 8-bit picture in {scene.name}",
            wanted="reflectance",
            hint="give the product itself",
            code=ErrorCode.WRONG_LEVEL,
        )
    if scene.level == "L2A":
        logger.warning("%s is L2A: clouds are simulated for the top of the atmosphere", scene.name)
    pixel_m = pixel_size_m(scene.grid)
    if not PIXEL_M / _PIXEL_RATIO <= pixel_m <= PIXEL_M * _PIXEL_RATIO:
        logger.warning("pixels of %.0f m: clouds are simulated for pixels of 10 m", pixel_m)
    try:
        share = cloud_share(scene)
    except InputError as error:
        logger.info("whether %s is clear is unknown: %s", scene.name, error.found)
        return
    if share > CLEAR_SHARE:
        logger.warning(
            "%.0f%% of %s is cloudy already, which is treated as clear ground",
            100 * share, scene.name,
        )  # fmt: skip


def _check_creation_options(options: SimulateOptions, scene: OpticalScene) -> None:
    """Check that the scene and its mask can be written with the creation options."""
    given = options.creation_options
    scene.profile({}, given).check_creation_options()
    replace(mask_profile(), creation_options=given).check_creation_options()


def _paths(options: SimulateOptions, number: int, scene: OpticalScene) -> dict[str, Path]:
    """The files of a scene; of several, each in a folder of its own."""
    folder = options.folder / f"{number + 1:03d}" if options.count else options.folder
    paths = output_paths(folder, ("s2_cloudy", "s2_clear", "truth_mask"), options.overwrite)
    if scene.path.resolve() in {path.resolve() for path in paths.values()}:
        raise OutputError(
            f"{scene.path} would be overwritten",
            wanted="another folder than that of the clear scene",
            hint="choose another OUTDIR",
        )  # fmt: skip
    return paths


def _layers(
    options: SimulateOptions, scene: OpticalScene, progress: Progress
) -> Sequence[CloudLayer]:
    if options.cloud_donors is None or options.kind not in (None, "mixed", "real"):
        return ()
    return read_real_clouds(options.cloud_donors, scene.bands, options.s2_offset, progress)


def _read(scene: OpticalScene) -> tuple[NDArray[np.generic], Float32]:
    """The whole scene: its own numbers, and reflectance in the order of its bands."""
    native = scene.native(scene.grid.window)
    return native, scene.radiometry.decode(native[[scene.positions[b] for b in scene.bands]])


def _write_one(
    options: SimulateOptions,
    scene: OpticalScene,
    native: NDArray[np.generic],
    clear: Float32,
    layers: Sequence[CloudLayer],
    number: int,
    paths: dict[str, Path],
) -> CloudedScene:
    rng = np.random.default_rng((options.seed, number))
    parameters = _cloud_parameters(options, scene, rng)
    atmosphere = _atmosphere(parameters, scene.grid, layers, rng)
    mask = np.where(np.isfinite(clear).all(axis=0), atmosphere.mask, np.uint8(MaskClass.NODATA))
    tags = {
        SUN_AZIMUTH_TAG: f"{parameters.sun.azimuth_deg:.3f}",
        SUN_ZENITH_TAG: f"{parameters.sun.zenith_deg:.3f}",
    }
    made = {**tags, KIND_TAG: options.kind or "mixed", SEED_TAG: f"{options.seed} {number}"}
    given = options.creation_options
    cloudy = _cloudy_numbers(scene, native, apply_atmosphere(clear, atmosphere, scene.bands), mask)
    profile = replace(mask_profile(), creation_options=given)
    with OutputSet(paths["s2_cloudy"], options.overwrite) as outputs:
        _write(paths["s2_cloudy"], scene.grid, scene.profile(made, given), cloudy, outputs)
        _write(paths["s2_clear"], scene.grid, scene.profile(tags, given), native, outputs)
        _write(paths["truth_mask"], scene.grid, profile, mask[None], outputs)
    fractions = class_fractions(np.bincount(mask.ravel(), minlength=256))
    return CloudedScene(
        **paths,
        cloud=fractions["cloud"],
        shadow=fractions["shadow"],
        sun_azimuth_deg=parameters.sun.azimuth_deg,
        sun_elevation_deg=90.0 - parameters.sun.zenith_deg,
        cloud_height_m=parameters.height_m,
    )


def _cloud_parameters(
    options: SimulateOptions, scene: OpticalScene, rng: np.random.Generator
) -> CloudParameters:
    """Cloud parameters; the sun by the options, else by the scene's metadata, else drawn."""
    parameters = draw_cloud_parameters(rng, options.kind or "mixed", options.cloud_cover)
    known, drawn = (options.sun_azimuth, scene.sun_azimuth_deg), parameters.sun
    azimuth = next((angle for angle in known if angle is not None), drawn.azimuth_deg)
    elevation = options.sun_elevation
    zenith = _tagged_zenith_deg(scene, drawn) if elevation is None else 90.0 - elevation
    return replace(parameters, sun=Sun(azimuth, zenith))


def _tagged_zenith_deg(scene: OpticalScene, drawn: Sun) -> float:
    zenith = number_of(scene.tags.get(SUN_ZENITH_TAG))
    return drawn.zenith_deg if zenith is None or not 0 <= zenith < 90 else zenith


def _atmosphere(
    parameters: CloudParameters, grid: Grid, layers: Sequence[CloudLayer], rng: np.random.Generator
) -> Atmosphere:
    """Shadows are displaced away from the sun on the grid, whatever its projection."""
    distance_m = parameters.sun.shadow_m(parameters.height_m)
    shadow_px = displacement_px(grid, parameters.sun.azimuth_deg + 180.0, distance_m)
    return make_atmosphere((grid.height, grid.width), parameters, rng, layers, shadow_px)


def _cloudy_numbers(
    scene: OpticalScene, native: NDArray[np.generic], cloudy: Float32, mask: Mask
) -> NDArray[np.generic]:
    """The numbers of the file, changed from the clear scene only under cloud or shadow."""
    numbers, hidden = native.copy(), is_cloud_or_shadow(mask)
    encoded = scene.radiometry.encode(cloudy)
    for plane, band in zip(encoded, scene.bands, strict=True):
        numbers[scene.positions[band]][hidden] = plane[hidden]
    return numbers


def _write(
    path: Path, grid: Grid, profile: CogProfile, pixels: NDArray[np.generic], outputs: OutputSet
) -> None:
    with CogWriter(path, grid, profile, outputs) as writer:
        writer.write(grid.window, pixels)
