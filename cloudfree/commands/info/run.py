"""`cloudfree info`: a product, or without one the installation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloudfree.commands.info.installation import InstallationResult, installation
from cloudfree.commands.info.product import OpticalInfo, RadarInfo, product
from cloudfree.core.progress import Progress


@dataclass(frozen=True)
class InfoOptions:
    """What the user asked about."""

    path: Path | None = None
    s2_offset: float | None = None


def run(options: InfoOptions, progress: Progress) -> OpticalInfo | RadarInfo | InstallationResult:
    """Look at the product, or at the installation.

    Raises
    ------
    InputError
        The path holds no Sentinel product.
    """
    del progress
    return product(options.path, options.s2_offset) if options.path else installation()
