"""How metrics are written: digits, units, which way is better."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cloudfree.metrics.image_metrics import Metrics


@dataclass(frozen=True)
class Column:
    """One metric: the field of `Metrics`, its title and unit, and whether more is better."""

    field: str
    title: str
    unit: str
    decimals: int
    more_is_better: bool

    @property
    def short_unit(self) -> str:
        """The unit for narrow columns; none for reflectance and SSIM."""
        return {"dB": "dB", "degrees": "deg"}.get(self.unit, "")

    @property
    def arrow(self) -> str:
        """Up if more is better, else down."""
        return "\N{UPWARDS ARROW}" if self.more_is_better else "\N{DOWNWARDS ARROW}"

    def value(self, metrics: Metrics | None) -> float | None:
        """The metric; None if it is not defined."""
        value: float | None = getattr(metrics, self.field) if metrics else None
        return value

    def text(self, metrics: Metrics | None) -> str:
        """The metric with its decimals; a dash for none, the sign of infinity for no error."""
        value = self.value(metrics)
        if value is None:
            return "\N{EN DASH}"
        return "\N{INFINITY}" if math.isinf(value) else f"{value:.{self.decimals}f}"

    def improves(self, before: Metrics | None, after: Metrics | None) -> bool:
        """Whether `after` is better than `before`."""
        old, new = self.value(before), self.value(after)
        if old is None or new is None:
            return False
        return new > old if self.more_is_better else new < old


PSNR = Column("psnr", "PSNR", "dB", 2, more_is_better=True)
SSIM = Column("ssim", "SSIM", "0\N{EN DASH}1", 3, more_is_better=True)
SAM = Column("sam", "SAM", "degrees", 2, more_is_better=False)
MAE = Column("mae", "MAE", "reflectance", 4, more_is_better=False)

COLUMNS = (PSNR, SSIM, SAM, MAE)
BAND_COLUMNS = (PSNR, SSIM, MAE)


def percent(share: float) -> str:
    """A share of 0 to 1 in percent; only 0 itself is written as 0.0 %."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.1f} %"
