"""Types of settings, roll-outs by percentage, and the rules of versions."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.configuration.definitions import (
    BREAKER_FAILURE_SHARE,
    BREAKER_WINDOW,
    DEFINITIONS,
    MAINTENANCE_BANNER,
    RATE_LIMITS,
    RECOMMENDATIONS_ENABLED,
    SHEDDING_ENABLED,
)
from common.configuration.rollout import is_included, position
from common.configuration.setting import InvalidValue, Setting
from common.configuration.values import SettingValue, SettingValues
from producers.services.configuration.model import (
    Change,
    Version,
    VersionConflict,
    default_version,
    next_version,
    published_author,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
JSON = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)
)
settings = pytest.mark.parametrize("setting", DEFINITIONS.values(), ids=DEFINITIONS)


@settings
def test_a_setting_takes_its_own_default(setting: Setting[Any]) -> None:
    assert setting.parse(setting.default) == setting.default


@settings
@given(value=JSON)
def test_a_value_is_refused_with_what_to_send_or_has_the_type_of_the_default(
    setting: Setting[Any], value: object
) -> None:
    parsed, message = value, ""
    try:
        parsed = setting.parse(value)
    except InvalidValue as error:
        message = str(error)

    assert parsed == value or value != value  # NaN
    if message:
        assert message.startswith(f"{setting.name} takes {setting.expected()}")
    else:
        assert type(parsed) is type(setting.parse(setting.default))
        assert setting.parse(parsed) == parsed


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (SHEDDING_ENABLED, 1),
        (SHEDDING_ENABLED, "true"),
        (BREAKER_WINDOW, True),
        (BREAKER_WINDOW, 99.5),
        (BREAKER_WINDOW, 9),
        (BREAKER_WINDOW, 10_001),
        (BREAKER_WINDOW, "100"),
        (BREAKER_FAILURE_SHARE, 0),
        (BREAKER_FAILURE_SHARE, 1.01),
        (BREAKER_FAILURE_SHARE, float("nan")),
        (MAINTENANCE_BANNER, "x" * 301),
        (MAINTENANCE_BANNER, "one\ntwo"),
        (MAINTENANCE_BANNER, 5),
        (RECOMMENDATIONS_ENABLED, -1),
        (RECOMMENDATIONS_ENABLED, 100.5),
        (RECOMMENDATIONS_ENABLED, None),
    ],
)
def test_a_value_of_another_type_or_out_of_bounds_is_refused(setting: Setting[Any], value: object) -> None:
    with pytest.raises(InvalidValue, match=setting.name):
        setting.parse(value)


def test_the_message_of_a_refused_number_names_the_bounds_and_the_unit() -> None:
    with pytest.raises(InvalidValue, match=r"a whole number from 1 to 1,000,000 \(requests per minute\)"):
        RATE_LIMITS["checkout"].parse(0)


def test_a_whole_number_may_be_written_with_a_decimal_point() -> None:
    assert repr(BREAKER_WINDOW.parse(200.0)) == "200"


def test_every_traffic_class_except_operations_has_a_rate_limit() -> None:
    assert set(RATE_LIMITS) == {"checkout", "write", "read", "page", "recommendation", "sign_in"}
    assert {f"rate_limit_{traffic}" for traffic in RATE_LIMITS} <= set(DEFINITIONS)


def test_a_value_that_nobody_has_set_is_the_default() -> None:
    values = SettingValues()

    assert values.get(BREAKER_WINDOW) == 100
    assert values.version(BREAKER_WINDOW) == 0

    values.update({BREAKER_WINDOW.name: SettingValue(3, 50)})

    assert (values.get(BREAKER_WINDOW), values.version(BREAKER_WINDOW)) == (50, 3)
    assert values.get(SHEDDING_ENABLED) is True


@given(
    unit=st.text(max_size=40).filter(lambda text: text.isprintable()),
    first=st.floats(0, 100),
    more=st.floats(0, 100),
)
def test_a_higher_percentage_only_adds_units(unit: str, first: float, more: float) -> None:
    low, high = sorted((first, more))

    assert is_included("feature", unit, low) <= is_included("feature", unit, high)


@given(unit=st.text(alphabet="0123456789abcdef", max_size=36))
def test_nobody_has_a_feature_at_0_percent_and_everybody_at_100(unit: str) -> None:
    assert not is_included("feature", unit, 0)
    assert is_included("feature", unit, 100)


def test_a_unit_has_the_position_that_planout_computes() -> None:
    # int(hashlib.sha1(b"feature.visitor-1").hexdigest()[:15], 16) / 0xFFFFFFFFFFFFFFF
    assert position("feature", "visitor-1") == pytest.approx(0.8969042713476577, abs=1e-15)


@pytest.mark.parametrize("percentage", [1, 10, 50, 90])
def test_the_share_of_units_with_a_feature_is_the_percentage(percentage: int) -> None:
    share = sum(is_included("feature", f"visitor-{number}", percentage) for number in range(20_000)) / 200

    assert share == pytest.approx(percentage, abs=1.5)


def test_two_features_are_rolled_out_to_different_units() -> None:
    units = [f"visitor-{number}" for number in range(4_000)]
    both = sum(is_included("one", unit, 50) and is_included("other", unit, 50) for unit in units)

    assert both == pytest.approx(1_000, abs=120)


def test_a_change_makes_the_next_version_with_its_author_and_reason() -> None:
    current = default_version(BREAKER_WINDOW)

    first = next_version(current, 200, Change("admin-1", "slow bank"), NOW)

    assert first == Version(1, 200, "admin-1", "slow bank", NOW, None)


def test_the_same_value_makes_no_version() -> None:
    assert next_version(default_version(BREAKER_WINDOW), 100, Change("admin-1", "why not"), NOW) is None


@given(current=st.integers(0, 50), expected=st.integers(0, 50))
def test_a_change_is_refused_unless_the_sender_has_seen_the_current_version(
    current: int, expected: int
) -> None:
    change = Change("admin-1", "because", expected)

    if current == expected:
        changed = next_version(Version(current, 1, None, None, None, None), 2, change, NOW)
        assert changed is not None
        assert changed.version == current + 1
    else:
        with pytest.raises(VersionConflict):
            next_version(Version(current, 1, None, None, None, None), 2, change, NOW)


def test_an_event_names_a_process_but_no_person() -> None:
    assert published_author("platform:cli") == "platform:cli"
    assert published_author("019ac0de-a12e-72ea-a85a-748a90456231") is None
