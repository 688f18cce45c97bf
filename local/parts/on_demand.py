"""The parts that run only if somebody wants them: from `./souk up --with NAME` until `--without NAME`."""

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from common.errors import UserError
from common.process_records import read_process_record
from common.settings import Settings
from local.parts import prometheus, zipkin
from local.parts.part import Part
from local.state_directory import StateDirectory

ON_DEMAND: Mapping[str, Callable[[Settings, Collection[str]], Part]] = {
    prometheus.PROMETHEUS: prometheus.prometheus,
    prometheus.ALERTMANAGER: prometheus.alertmanager,
    zipkin.NAME: lambda settings, _: zipkin.part(settings),
}
"""Name → a function that returns the part. Its second argument has the names of all that run on demand."""


def change(settings: Settings, wanted: Iterable[str], unwanted: Iterable[str]) -> None:
    """Note which parts this copy wants from now on.

    Raises:
        UserError: there is no such part on demand, or the program of one is not installed.
    """
    wanted, unwanted = list(wanted), list(unwanted)
    if unknown := [name for name in (*wanted, *unwanted) if name not in ON_DEMAND]:
        raise UserError(f"there is no part on demand {unknown[0]!r}: choose from {', '.join(ON_DEMAND)}")
    parts(settings, wanted)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in wanted:
        _file(settings, name).touch()
    for name in unwanted:
        _file(settings, name).unlink(missing_ok=True)


def apply(settings: Settings) -> Settings:
    """Return the settings of a copy that wants Zipkin, so that every process sends it traces."""
    if not _file(settings, zipkin.NAME).exists() or zipkin.NAME in settings.model_fields_set:
        return settings
    return settings.model_copy(update={zipkin.NAME: True})


def wanted(settings: Settings) -> set[str]:
    """Return the names of the parts that this copy wants; `SOUK_ZIPKIN` turns Zipkin on as well."""
    chosen = {name for name in ON_DEMAND if _file(settings, name).exists()} - {zipkin.NAME}
    return chosen | {zipkin.NAME} if settings.zipkin else chosen


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


def _file(settings: Settings, name: str) -> Path:
    """Return the file whose existence means that this copy wants a part."""
    return settings.home / f"with_{name}"
