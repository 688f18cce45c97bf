"""When the platform audits itself."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from audit.nightly.worker import FIRST_AFTER, RETRY_AFTER, SETTLING, AuditState, is_due

SHOP = ZoneInfo("America/Sao_Paulo")
HOUR = 4
NIGHT = datetime(2026, 11, 27, 7, tzinfo=UTC)
"""Four o'clock in the shop's time zone."""
SECOND = timedelta(seconds=1)


def due(
    now: datetime, up_since: datetime, audited: datetime | None, attempted: datetime | None = None
) -> bool:
    return is_due(AuditState(audited, up_since, attempted), now, HOUR, SHOP)


def test_the_audit_begins_at_its_hour_once_a_night() -> None:
    up_since, yesterday = NIGHT - timedelta(days=3), NIGHT - timedelta(hours=23, minutes=59)

    assert not due(NIGHT - SECOND, up_since, yesterday)
    assert due(NIGHT, up_since, yesterday)
    assert not due(NIGHT + timedelta(minutes=5), up_since, NIGHT)
    assert not due(NIGHT + timedelta(hours=23), up_since, NIGHT)


@pytest.mark.parametrize(("audited", "pause"), [(None, FIRST_AFTER), (NIGHT - timedelta(days=9), SETTLING)])
def test_a_missed_night_is_made_up_for_when_the_start_is_over(
    audited: datetime | None, pause: timedelta
) -> None:
    up_since = NIGHT + timedelta(hours=5)

    assert not due(up_since, up_since, audited)
    assert not due(up_since + pause - SECOND, up_since, audited)
    assert due(up_since + pause, up_since, audited)
    assert FIRST_AFTER < SETTLING


def test_a_night_just_after_the_start_is_not_put_off() -> None:
    assert due(NIGHT, NIGHT - timedelta(minutes=1), None)


def test_an_audit_that_failed_is_repeated_after_a_pause() -> None:
    up_since, before = NIGHT - timedelta(days=3), NIGHT - timedelta(days=1)

    assert not due(NIGHT + RETRY_AFTER - SECOND, up_since, before, attempted=NIGHT)
    assert due(NIGHT + RETRY_AFTER, up_since, before, attempted=NIGHT)
