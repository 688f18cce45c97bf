"""When a message may be sent: not in the quiet hours, and not too soon after the last one. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The time of each day, from `start` until `end` in a zone, in which no message is sent.

    If `end` is before `start`, it is on the next day.
    """

    start: time
    end: time
    zone: ZoneInfo

    def end_after(self, moment: datetime) -> datetime | None:
        """Return when the quiet hours end in which a moment lies, in UTC; None if it lies in none."""
        local = moment.astimezone(self.zone)
        at = local.time()
        if self.start < self.end:
            is_quiet, days = self.start <= at < self.end, 0
        else:
            is_quiet, days = at >= self.start or at < self.end, int(at >= self.start)
        if not is_quiet:
            return None
        end = datetime.combine(local.date() + timedelta(days=days), self.end, self.zone).astimezone(UTC)
        return max(end, moment)


def send_at(
    now: datetime, last_sent_at: datetime | None, distance: timedelta, quiet: QuietHours | None
) -> datetime:
    """Return when a message that is made now may be sent.

    It is at least `distance` after the message that the rule sent last, and not in its quiet hours.
    """
    earliest = now if last_sent_at is None else max(now, last_sent_at + distance)
    return (quiet and quiet.end_after(earliest)) or earliest
