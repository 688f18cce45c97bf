"""The sums over the units of an arm from which every figure of a metric is computed."""

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over `units` of y, d, c and of their products.

    Of each unit, `y` is the numerator of the metric (such as revenue), `d` the denominator (such as
    sessions; 1 for a mean per unit), and `c` the covariate: the numerator in the 14 days before the unit's
    first exposure.
    """

    units: int
    y: float
    d: float
    c: float
    yy: float
    dd: float
    cc: float
    yd: float
    yc: float
    dc: float

    @classmethod
    def of(cls, rows: Iterable[tuple[float, float, float]]) -> "Moments":
        """Return the sums over units, each (y, d, c)."""
        units = 0
        y = d = c = yy = dd = cc = yd = yc = dc = 0.0
        for y_i, d_i, c_i in rows:
            units += 1
            y += y_i
            d += d_i
            c += c_i
            yy += y_i * y_i
            dd += d_i * d_i
            cc += c_i * c_i
            yd += y_i * d_i
            yc += y_i * c_i
            dc += d_i * c_i
        return cls(units, y, d, c, yy, dd, cc, yd, yc, dc)

    def __add__(self, other: "Moments") -> "Moments":
        """Return the sums over the units of both."""
        return Moments(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def ratio(self) -> float:
        """Return Σy / Σd; 0 without a denominator."""
        return self.y / self.d if self.d else 0.0

    @property
    def linearised_variance(self) -> float:
        """Return the variance of one unit's share in the ratio, (y - ratio · d) / mean d.

        This is the delta method: the variance of the ratio is this value divided by the number of units
        (Deng, Knoblich and Lu 2018, "Applying the Delta Method in Metric Analytics").
        """
        squares = self.yy - 2 * self.ratio * self.yd + self.ratio**2 * self.dd
        return self._scaled(max(0.0, squares), 2)

    @property
    def covariate_mean(self) -> float:
        """Return the mean of c over the units."""
        return self.c / self.units if self.units else 0.0

    @property
    def covariate_variance(self) -> float:
        """Return the variance of c over the units."""
        squares = self.cc - self.c * self.covariate_mean
        return max(0.0, squares) / (self.units - 1) if self.units > 1 else 0.0

    @property
    def covariance(self) -> float:
        """Return the covariance of c and one unit's share in the ratio."""
        return self._scaled(self.yc - self.ratio * self.dc, 1)

    def _scaled(self, squares: float, power: int) -> float:
        if self.units < 2 or not self.d:
            return 0.0
        return squares / (self.units - 1) / (self.d / self.units) ** power
