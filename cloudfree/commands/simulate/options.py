"""Options of `cloudfree simulate`, and its output files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.options import OutputOptions, ReachOptions
from cloudfree.core.choices import CloudKind
from cloudfree.core.output_files import require_absent
from cloudfree.errors import ErrorCode, InputError, OutputError, writing_code

MIN_SIZE_PX = 64
MIN_SUN_ELEVATION_DEG = 10.0


@dataclass(frozen=True)
class SimulateOptions(OutputOptions, ReachOptions):
    """The options of `cloudfree simulate`; names equal its parameters.

    `size` is the side of a simulated scene in pixels, `misregistration` its rows and columns in
    pixels, `dates` the number of its earlier dates. With `over` a clear scene is given: `kind` to
    `count` describe the clouds over it, and angles are in degrees.
    """

    folder: Path
    size: int | None = None
    seed: int = 0
    cloud_cover: float = 0.4
    misregistration: tuple[float, float] | None = None
    dates: int = 0
    over: Path | None = None
    kind: CloudKind | None = None
    cloud_donors: Path | None = None
    sun_azimuth: float | None = None
    sun_elevation: float | None = None
    count: int | None = None
    s2_offset: float | None = None

    def check(self) -> None:
        """Check that the options can be simulated.

        Raises
        ------
        InputError
            An option is out of range or contradicts another; the message names it.
        """
        self._check_scene()
        self._check_dates()
        if self.sun_elevation is not None and self.sun_elevation < MIN_SUN_ELEVATION_DEG:
            raise InputError(
                f"a sun {self.sun_elevation:g} degrees above the horizon",
                wanted=f"at least {MIN_SUN_ELEVATION_DEG:g}: shadows would leave the scene",
                hint="choose another --sun-elevation",
                code=ErrorCode.BAD_OPTION,
            )
        self._check_kind_options()

    def _check_scene(self) -> None:
        if self.size is not None and self.size < MIN_SIZE_PX:
            raise InputError(
                f"a scene of {self.size} pixels",
                wanted=f"at least {MIN_SIZE_PX} pixels on a side",
                hint="choose a larger --size",
                code=ErrorCode.BAD_OPTION,
            )
        if not 0.0 <= self.cloud_cover <= 1.0:
            raise InputError(
                f"a cloud cover of {self.cloud_cover:g}",
                wanted="a share between 0 and 1",
                hint="choose another --cloud-cover",
                code=ErrorCode.BAD_OPTION,
            )

    def _check_dates(self) -> None:
        from cloudfree.simulation.earlier_dates import MAX_DATES
        from cloudfree.simulation.scene import MAX_MISREGISTRATION_PX

        if not 0 <= self.dates <= MAX_DATES:
            raise InputError(
                f"{self.dates} earlier dates",
                wanted=f"0 to {MAX_DATES}",
                hint="choose another --dates",
                code=ErrorCode.BAD_OPTION,
            )
        shifts = self.misregistration or ()
        if not all(abs(shift) <= MAX_MISREGISTRATION_PX for shift in shifts):
            raise InputError(
                "a misregistration of {:g}, {:g} pixels".format(*shifts),
                wanted=f"at most {MAX_MISREGISTRATION_PX:g} pixels each way",
                hint="choose a smaller --misregistration",
                code=ErrorCode.BAD_OPTION,
            )

    def _check_kind_options(self) -> None:
        """Options of a given scene and of a simulated one exclude each other."""
        given = ("kind", "cloud_donors", "sun_azimuth", "sun_elevation", "count", "s2_offset")
        names = ("size", "misregistration", "dates") if self.over else given
        for name in names:
            if getattr(self, name) != getattr(SimulateOptions, name):
                raise InputError(
                    f"--{name.replace('_', '-')} {'with' if self.over else 'without'} --over",
                    wanted="a simulated scene" if self.over else "a clear scene to put clouds over",
                    hint="leave one of the two out" if self.over else "add --over CLEAR",
                    code=ErrorCode.BAD_OPTION,
                )
        if self.kind == "real" and self.cloud_donors is None:
            raise InputError(
                "--kind real without --cloud-donors",
                wanted="a folder of cloudy and clear images to cut the clouds from",
                hint="add --cloud-donors DIR, or choose another --kind",
                code=ErrorCode.BAD_OPTION,
            )


def output_paths(folder: Path, names: Sequence[str], overwrite: bool) -> dict[str, Path]:
    """The files of a scene by their role, in a folder that is created.

    Raises
    ------
    OutputError
        A file of the scene exists already, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be created ({error.strerror})",
            wanted="a folder for the scene",
            hint="choose another OUTDIR",
            code=writing_code(error),
        ) from error
    paths = {name: folder / f"{name}.tif" for name in names}
    for path in paths.values():
        require_absent(path, overwrite)
    return paths
