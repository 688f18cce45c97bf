"""The parts that `./souk up --with NAME` starts in addition to the others. They run until `./souk down`."""

from collections.abc import Callable, Collection, Mapping

from common.errors import UserError
from common.settings import Settings
from local.parts import prometheus
from local.parts.part import Part
from local.state_directory import StateDirectory
from local.supervision.processes import read_process_record

ON_DEMAND: Mapping[str, Callable[[Settings, Collection[str]], Part]] = {
    prometheus.PROMETHEUS: prometheus.prometheus,
    prometheus.ALERTMANAGER: prometheus.alertmanager,
}
"""Name → a function that returns the part. Its second argument has the names of all that run on demand."""


def require_known(names: Collection[str]) -> None:
    """Check names that a user gave.

    Raises:
        UserError: there is no such part on demand.
    """
    if unknown := [name for name in names if name not in ON_DEMAND]:
        raise UserError(f"there is no part on demand {unknown[0]!r}: choose from {', '.join(ON_DEMAND)}")


def running(home: StateDirectory) -> set[str]:
    """Return the names of the parts on demand that run in this copy."""
    records = {name: read_process_record(home.run, name) for name in ON_DEMAND}
    return {name for name, record in records.items() if record and record.alive}


def parts(settings: Settings, names: Collection[str]) -> list[Part]:
    """Return these parts.

    Raises:
        UserError: the program of one of them is not installed.
    """
    return [build(settings, names) for name, build in ON_DEMAND.items() if name in names]
