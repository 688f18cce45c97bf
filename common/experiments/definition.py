"""What an experiment is: its surface, arms, time and guardrails."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, get_args

Surface = Literal["home", "product", "cart", "all"]
"""The page on which an experiment runs; `all` means every page."""

Unit = Literal["visitor"]
"""What is assigned to an arm: the shopper if the visitor is signed in, otherwise the session."""

GuardrailMetric = Literal["conversion", "revenue", "click_rate"]

SURFACES: tuple[Surface, ...] = get_args(Surface)
UNITS: tuple[Unit, ...] = get_args(Unit)

GUARDRAIL_METRICS: Mapping[GuardrailMetric, str] = MappingProxyType(
    {
        "conversion": "converting sessions per session",
        "revenue": "net sales per session",
        "click_rate": "clicked lists per shown list",
    }
)
"""The metrics of every experiment, and what each divides by what."""

StrategyName = Literal["live", "trained", "blend", "popular"]

STRATEGIES: tuple[StrategyName, ...] = get_args(StrategyName)
"""The strategies that an arm may name. A process that can't answer with one uses `DEFAULT_STRATEGY`."""

DEFAULT_STRATEGY: StrategyName = "blend"
"""The strategy of visitors who take part in no experiment."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A variant of an experiment: the strategy that answers, and its share of the units (0 to 1).

    From `stopped_at` on, its units get the default strategy and take part no more. No other unit changes
    arms.
    """

    name: str
    strategy: str
    share: float
    stopped_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Return whether units still get this arm."""
        return self.stopped_at is None or now < self.stopped_at


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A metric that an arm must not harm: `max_loss` is the largest relative loss against the control arm.

    An arm is stopped when its whole confidence sequence is below `-max_loss`.
    """

    metric: GuardrailMetric
    max_loss: float


@dataclass(frozen=True, slots=True)
class Experiment:
    """A comparison of strategies. The first arm is the control.

    Units beyond the sum of the shares take part in no experiment. `salt` is part of the hash: with another
    salt, the same units are assigned anew.
    """

    name: str
    surface: Surface
    unit: Unit
    salt: str
    start: datetime
    stop: datetime | None
    arms: tuple[Arm, ...]
    guardrails: tuple[Guardrail, ...] = ()

    @property
    def control(self) -> Arm:
        """The arm with which the others are compared."""
        return self.arms[0]

    def is_running(self, now: datetime) -> bool:
        """Return whether units are assigned at this moment."""
        return self.start <= now and (self.stop is None or now < self.stop)

    def covers(self, surface: str) -> bool:
        """Return whether the experiment runs on this surface."""
        return self.surface in ("all", surface)

    def overlaps(self, other: "Experiment") -> bool:
        """Return whether both run on one surface at one time."""
        if "all" not in (self.surface, other.surface) and self.surface != other.surface:
            return False
        return (other.stop is None or self.start < other.stop) and (
            self.stop is None or other.start < self.stop
        )
