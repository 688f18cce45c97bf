"""The difference of a ratio metric between two arms, with its variance, with or without CUPED.

Every figure of a metric is computed from `Moments`, the sums over the units of an arm.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over `units` of y, d, c and of their products.

    Of each unit, `y` is the numerator of the metric (such as revenue), `d` the denominator (such as
    sessions; 1 for a mean per unit), and `c` the covariate: the numerator in the 14 days before the unit's
    first exposure.
    """

    units: int = 0
    y: float = 0.0
    d: float = 0.0
    c: float = 0.0
    yy: float = 0.0
    dd: float = 0.0
    cc: float = 0.0
    yd: float = 0.0
    yc: float = 0.0
    dc: float = 0.0

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


@dataclass(frozen=True, slots=True)
class Effect:
    """The values of a metric in both arms, adjusted if `theta` is not 0, and their variances."""

    units: int
    control: float
    treated: float
    control_variance: float
    treated_variance: float
    theta: float = 0.0

    @property
    def difference(self) -> float:
        """Return treated less control."""
        return self.treated - self.control

    @property
    def variance(self) -> float:
        """Return the variance of the difference. The arms are independent."""
        return self.control_variance + self.treated_variance

    @property
    def relative(self) -> float | None:
        """Return the difference as a share of control; None if control is not positive."""
        return self.difference / self.control if self.control > 0 else None

    @property
    def relative_variance(self) -> float:
        """Return the variance of `relative`, by the delta method for a quotient of independent values.

        It is 0 if control is not positive.
        """
        if self.control <= 0:
            return 0.0
        return (
            self.treated_variance / self.control**2
            + self.treated**2 * self.control_variance / self.control**4
        )


def effect(control: Moments, treated: Moments, adjusted: bool = True) -> Effect:
    """Return the effect of an arm against the control arm.

    With `adjusted`, each ratio R becomes R - θ · (mean c - pooled mean c), where θ is the covariance of c
    and the linearised metric divided by the variance of c, both pooled over the arms. This is CUPED (Deng,
    Xu, Kohavi and Walker 2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing
    Pre-Experiment Data"). The covariate is measured before the exposure, so the expected difference stays
    the same, and the variance falls by the square of the correlation.
    """
    theta = _theta(control, treated) if adjusted else 0.0
    pooled = control + treated
    return Effect(
        pooled.units,
        _adjusted(control, theta, pooled.covariate_mean),
        _adjusted(treated, theta, pooled.covariate_mean),
        _variance(control, theta),
        _variance(treated, theta),
        theta,
    )


def _theta(control: Moments, treated: Moments) -> float:
    weights = (max(0, control.units - 1), max(0, treated.units - 1))
    variance = weights[0] * control.covariate_variance + weights[1] * treated.covariate_variance
    covariance = weights[0] * control.covariance + weights[1] * treated.covariance
    return covariance / variance if variance > 0 else 0.0


def _adjusted(arm: Moments, theta: float, pooled_mean: float) -> float:
    return arm.ratio - theta * (arm.covariate_mean - pooled_mean)


def _variance(arm: Moments, theta: float) -> float:
    if arm.units < 2:
        return 0.0
    of_unit = arm.linearised_variance - 2 * theta * arm.covariance + theta**2 * arm.covariate_variance
    return max(0.0, of_unit) / arm.units
