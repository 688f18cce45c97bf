"""Every setting that an administrator may change at run time. To add one, add it to `_ALL`.

Read a value with `SettingValues.get`. Passwords and addresses of servers are not here but in
`common.settings`: a process needs them before it can read anything.
"""

from collections.abc import Mapping
from typing import Any

from common.access_policy import TrafficClass
from common.configuration.recommendation_rules import RECOMMENDATION_RULES
from common.configuration.setting import (
    BooleanSetting,
    CountSetting,
    NumberSetting,
    RolloutSetting,
    Setting,
    TextSetting,
)
from common.experiments.reading import ExperimentsSetting

_PER_MINUTE: dict[TrafficClass, tuple[int, str]] = {
    "checkout": (60, "Checkouts"),
    "write": (240, "Requests that change something"),
    "read": (600, "Requests of the API that read"),
    "page": (600, "Pages"),
    "recommendation": (600, "Recommendations"),
    "sign_in": (30, "Attempts to sign in, to register or to reset a password"),
}

RATE_LIMITS: Mapping[TrafficClass, CountSetting] = {
    traffic: CountSetting(
        f"rate_limit_{traffic}",
        default,
        f"{what} that one user, API key or address may send in a minute.",
        "requests per minute",
        minimum=1,
        maximum=1_000_000,
    )
    for traffic, (default, what) in _PER_MINUTE.items()
}
"""The limit of each traffic class. Operations have none."""

BREAKER_WINDOW = CountSetting(
    "breaker_window",
    100,
    "How many of the last calls to a server a circuit breaker counts.",
    "calls",
    minimum=10,
    maximum=10_000,
)
BREAKER_FAILURE_SHARE = NumberSetting(
    "breaker_failure_share",
    0.5,
    "Share of failures in the window from which a circuit breaker opens.",
    minimum=0.01,
    maximum=1,
)
BREAKER_OPEN_S = NumberSetting(
    "breaker_open_s",
    60,
    "How long an open circuit breaker refuses calls before it allows trial calls.",
    "seconds",
    minimum=1,
    maximum=3_600,
)
BREAKER_TRIALS = CountSetting(
    "breaker_trials",
    10,
    "How many trial calls must succeed before a circuit breaker closes.",
    "calls",
    minimum=1,
    maximum=1_000,
)
SHEDDING_ENABLED = BooleanSetting(
    "shedding_enabled",
    True,
    "Whether an overloaded gateway refuses the least important requests first.",
)
MAINTENANCE_BANNER = TextSetting(
    "maintenance_banner",
    "",
    "A notice at the top of every page. No notice is shown while it is empty.",
    max_chars=300,
)
RECOMMENDATIONS_ENABLED = RolloutSetting(
    "recommendations_enabled",
    100.0,
    "Percentage of visitors who see recommendations.",
    "% of visitors",
)
EXPERIMENTS = ExperimentsSetting(
    "recommendation_experiments",
    "[]",
    "Experiments with recommendations: which arms answer which shares of the visitors, and when.",
)
HOLDOUT_SHARE = NumberSetting(
    "recommendation_holdout",
    0.02,
    "Share of visitors who permanently get popular products instead of personal recommendations.",
    minimum=0,
    maximum=0.2,
)
EXPLORATION_SHARE = NumberSetting(
    "recommendation_exploration",
    0.01,
    "Share of recommendation lists that are drawn at random from what all strategies and sources would show.",
    minimum=0,
    maximum=0.2,
)

_ALL: tuple[Setting[Any], ...] = (
    *RATE_LIMITS.values(),
    BREAKER_WINDOW,
    BREAKER_FAILURE_SHARE,
    BREAKER_OPEN_S,
    BREAKER_TRIALS,
    SHEDDING_ENABLED,
    MAINTENANCE_BANNER,
    RECOMMENDATIONS_ENABLED,
    *RECOMMENDATION_RULES,
    EXPERIMENTS,
    HOLDOUT_SHARE,
    EXPLORATION_SHARE,
)

DEFINITIONS: Mapping[str, Setting[Any]] = {setting.name: setting for setting in _ALL}
"""Name → setting."""
