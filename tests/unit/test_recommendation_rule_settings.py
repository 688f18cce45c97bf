"""Settings of the rules: what is refused, what applies when, and what administrators' entries become."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.configuration.recommendation_rules import (
    BLOCKS,
    BOOSTS,
    EXPOSURE_SHARE,
    MAX_PER_SELLER,
    PINS,
    RESTRICTED_CATEGORIES,
    SPONSORED,
    SPONSORED_PLACES,
)
from common.configuration.setting import InvalidValue, ListSetting
from common.configuration.values import SettingValue, SettingValues
from common.settings import Settings
from schemas.configuration.saved_values import SavedValues
from serving.recommendations.rules.context import PinnedPlace
from serving.recommendations.rules.shop_rules import PAGES, LiveRules
from serving.web.admin.recommendations import ending, read_entry, state_of, with_entry
from serving.web.forms import BadField, Form

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONE = ZoneInfo("America/Sao_Paulo")


def entry(start: datetime = NOON, until: datetime = NOON + HOUR, **fields: Any) -> dict[str, Any]:
    return {"surface": "any", "from": written(start), "until": written(until), **fields}


def written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


LAMP = {"target": "product", "id": "lamp"}
BOOST = entry(**LAMP, factor=2.0)
PIN = entry(**LAMP, place=3)
BLOCK = entry(**LAMP)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (BOOSTS, [BOOST]),
        (PINS, [PIN]),
        (BLOCKS, [BLOCK, entry(target="seller", id="ana"), entry(target="category", id="Lamps")]),
        (SPONSORED, [entry(product_id="lamp")]),
        (SPONSORED_PLACES, [1, 50]),
        (RESTRICTED_CATEGORIES, ["adult"]),
        (BLOCKS, []),
    ],
)
def test_a_valid_list_is_taken_as_it_is(setting: ListSetting, value: list[Any]) -> None:
    assert setting.parse(value) == value


@pytest.mark.parametrize(
    ("setting", "value", "fault"),
    [
        (BOOSTS, [BOOST | {"factor": -1.0}], "Entry 1, factor: Input should be greater than or equal to 0.1"),
        (BOOSTS, [BOOST, BOOST | {"factor": 11.0}], "Entry 2, factor: Input should be less than"),
        (BOOSTS, [BLOCK], "Entry 1, factor: Field required"),
        (PINS, [PIN | {"place": 0}], "Entry 1, place: Input should be greater than or equal to 1"),
        (PINS, [PIN | {"place": 51}], "Entry 1, place"),
        (BLOCKS, [{**LAMP, "from": written(NOON)}], "Entry 1, until: Field required"),
        (BLOCKS, [entry(until=NOON, **LAMP)], "Entry 1: `until` must be later than `from`"),
        (BLOCKS, [entry(until=NOON + timedelta(days=367), **LAMP)], "at most 366 days later"),
        (BLOCKS, [BLOCK | {"until": "2026-11-27T13:00:00"}], "Entry 1, until"),
        (BLOCKS, [BLOCK | {"target": "brand"}], "Entry 1, target"),
        (BLOCKS, [BLOCK | {"id": ""}], "Entry 1, id"),
        (BLOCKS, [BLOCK | {"id": "la\nmp"}], "Entry 1, id: must be one line of text"),
        (BLOCKS, [BLOCK | {"more": 1}], "Entry 1, more: Extra inputs are not permitted"),
        (BLOCKS, [BLOCK] * 201, "List should have at most 200 items"),
        (BLOCKS, "lamp", "Input should be a valid array"),
        (BLOCKS, None, "Input should be a valid array"),
        (SPONSORED_PLACES, [0], "Entry 1: Input should be greater than or equal to 1"),
        (SPONSORED_PLACES, [4.5], "Entry 1"),
        (RESTRICTED_CATEGORIES, [5], "Entry 1: Input should be a valid string"),
    ],
)  # fmt: skip
def test_a_list_with_a_fault_is_refused_with_the_entry_and_the_field(
    setting: ListSetting, value: object, fault: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        setting.parse(value)

    assert f"{setting.name} takes {setting.expected()}" in str(refused.value)
    assert fault in str(refused.value)


def test_times_of_any_zone_are_stored_in_utc() -> None:
    (stored,) = BLOCKS.parse([BLOCK | {"from": "2026-11-27T09:00:00-03:00"}])

    assert stored["from"] == "2026-11-27T12:00:00Z"


def test_an_entry_that_ended_long_ago_is_still_valid_in_a_saved_file(tmp_path: Any) -> None:
    saved = SavedValues(Settings(home=tmp_path))
    old = [entry(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC), **LAMP)]

    saved.save({BLOCKS.name: SettingValue(7, BLOCKS.parse(old))})

    assert saved.load() == {BLOCKS.name: SettingValue(7, old)}


def values_of(**changed: tuple[int, Any]) -> SettingValues:
    values = SettingValues()
    values.update({name: SettingValue(version, value) for name, (version, value) in changed.items()})
    return values


@given(at=st.datetimes(NOON.replace(tzinfo=None) - 2 * HOUR, NOON.replace(tzinfo=None) + 3 * HOUR))
def test_an_entry_applies_from_its_start_until_before_its_end(at: datetime) -> None:
    live = LiveRules(values_of(recommendation_blocks=(1, [BLOCK])))
    moment = at.replace(tzinfo=UTC)

    applies = bool(live.of("home", moment.timestamp()).blocks)

    assert applies == (NOON <= moment < NOON + HOUR)


def test_the_same_rules_follow_the_clock_without_a_change() -> None:
    live = LiveRules(values_of(recommendation_pins=(1, [PIN])))
    moments = (NOON - HOUR, NOON, NOON + HOUR)

    pins = [live.of("home", moment.timestamp()).pins for moment in moments]
    digests = {live.digest(moment.timestamp()) for moment in moments}

    assert pins == [(), (PinnedPlace(2, "product", "lamp"),), ()]
    assert len(digests) == 2


def test_a_change_of_a_setting_applies_at_once() -> None:
    values = values_of()
    live = LiveRules(values)
    now_s = NOON.timestamp()
    before = live.of("home", now_s), live.digest(now_s)

    values.update({MAX_PER_SELLER.name: SettingValue(1, 3), EXPOSURE_SHARE.name: SettingValue(1, 0.0)})

    assert (before[0].max_per_seller, live.of("home", now_s).max_per_seller) == (25, 3)
    assert live.digest(now_s) != before[1]


def test_an_entry_of_one_page_applies_there_only() -> None:
    live = LiveRules(values_of(recommendation_boosts=(1, [BOOST | {"surface": "cart"}])))

    assert [bool(live.of(page, NOON.timestamp()).boosts) for page in PAGES] == [False, False, True]


def test_processes_with_the_same_rules_have_the_same_digest() -> None:
    one, other = values_of(recommendation_blocks=(1, [BLOCK])), values_of(recommendation_blocks=(9, [BLOCK]))

    assert LiveRules(one).digest(NOON.timestamp()) == LiveRules(other).digest(NOON.timestamp())


def form(**fields: str) -> Form:
    return Form({name: (text,) for name, text in fields.items()})


def test_a_form_becomes_an_entry_in_the_times_of_the_shop() -> None:
    kind, made = read_entry(
        form(kind="pin", target="product", id="lamp", place="3", until="2026-11-28T10:00"), ZONE, NOON
    )

    assert kind == "pin"
    assert PINS.parse([made]) == [PIN | {"until": "2026-11-28T13:00:00Z"}]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "wish"}, "Choose what the entry does"),
        ({"kind": "block", "id": "lamp"}, "The end is missing"),
        ({"kind": "block", "id": "lamp", "until": "tomorrow"}, "The end must be a day and a time"),
        ({"kind": "pin", "id": "lamp", "until": "2026-11-28T10:00", "place": "1.5"}, "whole number"),
        ({"kind": "boost", "id": "lamp", "until": "2026-11-28T10:00"}, "The factor must be a number"),
        ({"kind": "sponsored", "target": "seller", "until": "2026-11-28T10:00"}, "Only a product"),
    ],
)  # fmt: skip
def test_a_form_that_can_not_be_used_says_why(fields: dict[str, str], reason: str) -> None:
    with pytest.raises(BadField, match=reason):
        read_entry(form(**fields), ZONE, NOON)


def test_an_entry_in_force_ends_now_and_an_announced_one_disappears() -> None:
    announced = entry(NOON + HOUR, NOON + 2 * HOUR, **LAMP)
    later = NOON + HOUR / 2
    assert [state_of(each, later) for each in (BLOCK, announced)] == ["in force", "announced"]

    ended = ending([BLOCK, announced], 0, later)
    assert state_of(ended[0], later) == "ended"
    assert BLOCKS.parse(ended)
    assert ending([BLOCK, announced], 1, later) == [BLOCK]
    for position in (0, 2, -1):
        with pytest.raises(BadField, match="ended already"):
            ending(ended, position, later)


def test_entries_that_ended_long_ago_leave_the_list_with_the_next_change() -> None:
    old = entry(NOON - timedelta(days=40), NOON - timedelta(days=31), **LAMP)

    assert with_entry([old, BLOCK], BLOCK, NOON) == [BLOCK, BLOCK]
