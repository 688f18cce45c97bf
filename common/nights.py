"""The schedule of the nightly work: trainings and audits take turns at an hour of the night."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from common.file_lock import lock_if_free

log = structlog.get_logger()


def last_night(now: datetime, hour: int, timezone: ZoneInfo) -> datetime:
    """Return the newest time until `now` at which the clock of this time zone showed `hour`."""
    local = now.astimezone(timezone)
    tonight = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    return tonight if tonight <= local else tonight - timedelta(days=1)


@contextmanager
def night_turn(home: Path, waiting: str = "") -> Iterator[bool]:
    """Yield whether it is the turn of this process inside the `with` block: no other has it meanwhile.

    Trainings and audits of one machine exclude each other, because each of them takes a core and much memory
    for minutes. `waiting` names what has to wait if another process has the turn; its worker tries again at
    the next check. Somebody who starts one by hand need not wait, but those of the night wait for it. A turn
    ends with its process.
    """
    with lock_if_free(home / "run" / "night.lock") as owner:
        if owner and waiting:
            log.info("waiting for the turn", waiting=waiting, owner_pid=owner)
        yield not owner
