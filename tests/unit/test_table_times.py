"""Times as shops and people write them."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.kit.tables.times import ZONES, DateOrder, NotATime, own_abbreviations, read_time

UTC_ZONE = ZoneInfo("UTC")
TIME_LIKE = st.text(st.sampled_from("0123456789:/-., TZ+hmars BRT"), max_size=30)


def read(text: str, order: DateOrder = "day_first", zone: str = "UTC") -> str:
    found = read_time(text, order, ZoneInfo(zone))
    return found.isoformat() if isinstance(found, datetime) else found.name


@pytest.mark.parametrize(
    "text",
    [
        "05/03/2024 10:30", "5.3.24 10:30", "5. 3. 2024, 10.30 Uhr", "05-03-2024T10:30:00",
        "05/03/2024 às 10h30", "05/03/2024 - 10:30", "2024-03-05 10:30", "2024/03/05 10:30:00.000",
        "5 de março de 2024 10:30 hs.",
        "5 de marzo de 2024 10:30", "5. März 2024 um 10:30 Uhr", "5 mars 2024 à 10h30",
        "Mar 5, 2024 10:30 AM",
        "March 5th, 2024 at 10:30 a.m.", "05-Mar-24 10:30", "mar-05-24 10:30", "2024-Mar-05 10:30",
        "Tue, 05 Mar 2024 10:30:00", "terça-feira, 5 de março de 2024 10:30", "０５/０３/２０２４ 10:30",
    ],
)  # fmt: skip
def test_dates_with_the_day_first_or_with_a_month_by_name_are_read(text: str) -> None:
    assert read(text) == "2024-03-05T10:30:00+00:00"


@pytest.mark.parametrize(
    ("name", "month"),
    [("Jan", 1), ("fev.", 2), ("février", 2), ("März", 3), ("abr", 4), ("avr.", 4), ("maio", 5), ("juin", 6),
     ("julio", 7), ("août", 8), ("ago", 8), ("setembro", 9), ("sept.", 9), ("Okt", 10), ("out", 10),
     ("noviembre", 11), ("dez", 12), ("dic", 12), ("décembre", 12)],
)  # fmt: skip
def test_names_of_months_are_those_of_five_languages(name: str, month: int) -> None:
    assert read(f"5 {name} 2024") == f"2024-{month:02}-05T00:00:00+00:00"


def test_the_order_of_day_and_month_is_that_of_the_format() -> None:
    assert read("05/03/2024", "day_first") == "2024-03-05T00:00:00+00:00"
    assert read("05/03/2024", "month_first") == "2024-05-03T00:00:00+00:00"
    assert read("05/03/2024", "year_first") == "NO_TIME"
    assert read("25/03/2024", "month_first") == "NO_TIME"
    assert read("03/25/2024", "day_first") == "NO_TIME"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-03-05 10:30:00 PST", "2024-03-05T10:30:00-08:00"),
        ("2024-07-05 10:30:00 PDT", "2024-07-05T10:30:00-07:00"),
        ("05/03/2024 10:30 BRT", "2024-03-05T10:30:00-03:00"),
        ("05/03/2024 10:30 (MEZ)", "2024-03-05T10:30:00+01:00"),
        ("05/03/2024 10:30 GMT-3", "2024-03-05T10:30:00-03:00"),
        ("05/03/2024 10:30 UTC+05:30", "2024-03-05T10:30:00+05:30"),
        ("Tue, 5 Mar 2024 10:30:00 -0300 (BRT)", "2024-03-05T10:30:00-03:00"),
        ("Tue Mar 05 10:30:00 BRT 2024", "2024-03-05T10:30:00-03:00"),
        ("05/03/2024 10:30 CST", "UNKNOWN_ZONE"),
        ("05/03/2024 10:30 IST", "UNKNOWN_ZONE"),
        ("05/03/2024 10:30 XYZ", "UNKNOWN_ZONE"),
    ],
)
def test_a_zone_is_an_offset_or_an_abbreviation_that_only_one_zone_has(text: str, found: str) -> None:
    assert read(text) == found


def test_an_abbreviation_of_the_mappings_own_zone_is_not_ambiguous() -> None:
    assert read("05/07/2024 10:30 IST", zone="Asia/Kolkata") == "2024-07-05T10:30:00+05:30"
    assert read("05/07/2024 10:30 CDT", zone="America/Chicago") == "2024-07-05T10:30:00-05:00"
    assert read("05/07/2024 10:30 PST", zone="Asia/Manila") == "2024-07-05T10:30:00+08:00"


def test_the_table_of_zones_has_no_abbreviation_that_two_zones_of_today_use() -> None:
    offsets: dict[str, set[float]] = {}
    for zone in available_timezones():
        for name, offset in own_abbreviations(ZoneInfo(zone), 2026).items():
            offsets.setdefault(name, set()).add(offset.total_seconds() / 3600)

    known = {name: found for name, found in offsets.items() if name in ZONES}
    assert known.pop("pst") == {-8, 8}  # the Philippines' tables say PHT
    assert known == {name: {ZONES[name]} for name in known}


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "30/02/2024", "05/13/2024", "05/03-2024", "05/03/2024 25:00", "05/03/2024 13:00 PM",
     "05/03/2024 10:30:61", "05/03/2024 10:30 +25:00", "5 jui 2024", "05/03/0000", "05/03/24100", "1" * 200],
)  # fmt: skip
def test_other_texts_are_no_times(text: str) -> None:
    assert read(text) == "NO_TIME"


@given(st.datetimes(datetime(1970, 1, 2), datetime(2068, 12, 31)), st.sampled_from(["%d/%m/%Y", "%d.%m.%y"]))  # noqa: DTZ001
def test_what_a_program_writes_is_read(moment: datetime, date: str) -> None:
    text = moment.strftime(f"{date} %H:%M:%S.%f")

    assert read_time(text, "day_first", UTC_ZONE) == moment.replace(tzinfo=UTC_ZONE)


@given(
    st.one_of(TIME_LIKE, st.text()),
    st.sampled_from(["year_first", "day_first", "month_first"]),
    st.sampled_from(["UTC", "America/Sao_Paulo", "Pacific/Kiritimati"]),
)
def test_any_text_is_a_time_or_none(text: str, order: DateOrder, zone: str) -> None:
    assert isinstance(read_time(text, order, ZoneInfo(zone)), datetime | NotATime)
