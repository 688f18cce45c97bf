"""Simulated experiments: visitors arrive day by day, with sessions, orders, revenue and a past."""

from collections.abc import Iterable, Iterator

import numpy as np

from recommenders.experiments.effects import Moments


def moments_of(rows: Iterable[tuple[float, float, float]]) -> Moments:
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
    return Moments(units, y, d, c, yy, dd, cc, yd, yc, dc)


def days_of(
    rng: np.random.Generator, days: int, visitors_a_day: int, uplift: float = 0.0
) -> Iterator[tuple[Moments, Moments]]:
    """Yield after each day the moments of revenue a session of the control and of the treated arm.

    `uplift` raises the treated visitors' probability of an order, and so their mean revenue, by this share.
    The revenue of an order is log-normal; a visitor who bought before buys again more often.
    """
    control = treated = Moments()
    for _ in range(days):
        loyalty = rng.beta(1, 9, (2, visitors_a_day))
        sessions = rng.geometric(0.5, (2, visitors_a_day))
        chance = loyalty * np.array([[1.0], [1.0 + uplift]])
        orders = rng.binomial(sessions, np.minimum(1, chance))
        before = rng.binomial(6, loyalty) * 50.0
        revenue = orders * rng.lognormal(3.5, 0.8, (2, visitors_a_day))
        control += moments_of(zip(revenue[0].tolist(), sessions[0].tolist(), before[0].tolist(), strict=True))
        treated += moments_of(zip(revenue[1].tolist(), sessions[1].tolist(), before[1].tolist(), strict=True))
        yield control, treated


def true_difference(uplift: float) -> float:
    """Return the true difference of revenue a session: uplift · E[chance] · E[revenue of an order]."""
    return uplift * 0.1 * float(np.exp(3.5 + 0.8**2 / 2))
