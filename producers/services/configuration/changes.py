"""Changes settings and rolls them back; each change is a version and an event."""

from typing import Any

import orjson

from common.configuration.setting import InvalidValue, Setting
from producers.kit.http.problems import require
from producers.kit.outbox.transaction import Transaction
from producers.services.configuration import store
from producers.services.configuration.model import (
    Change,
    Version,
    VersionConflict,
    default_version,
    next_version,
    published_author,
)
from producers.services.configuration.problems import BAD_VALUE, CHANGED_MEANWHILE, UNKNOWN_VERSION

PLATFORM = "platform"
"""The scope of every setting of this service."""


async def change_setting(tx: Transaction, setting: Setting[Any], value: object, change: Change) -> Version:
    """Set a value; return the setting's version. A value that the setting has already makes no new version.

    Raises:
        BAD_VALUE: the setting does not take the value.
        CHANGED_MEANWHILE: the setting has another version than the expected one.
    """
    parsed = _parse(setting, value)
    return await _save(tx, setting, await _lock_current(tx, setting), parsed, change)


async def roll_back(tx: Transaction, setting: Setting[Any], to: int, change: Change) -> Version:
    """Set the value of an earlier version, 0 for the default; return the setting's version.

    Raises:
        UNKNOWN_VERSION: the setting has no such version.
        BAD_VALUE: the setting's definition no longer takes the value of that version.
    """
    current = await _lock_current(tx, setting)
    earlier = require(await _find(tx, setting, to), UNKNOWN_VERSION(name=setting.name, version=to))
    return await _save(tx, setting, current, _parse(setting, earlier.value), change, rolled_back_to=to)


async def _lock_current(tx: Transaction, setting: Setting[Any]) -> Version:
    return await _find(tx, setting, await store.lock_setting(tx, setting.name)) or default_version(setting)


async def _find(tx: Transaction, setting: Setting[Any], number: int) -> Version | None:
    return default_version(setting) if number == 0 else await store.find_version(tx.sql, setting.name, number)


async def _save(
    tx: Transaction,
    setting: Setting[Any],
    current: Version,
    value: Any,
    change: Change,
    rolled_back_to: int | None = None,
) -> Version:
    try:
        version = next_version(current, value, change, tx.now, rolled_back_to)
    except VersionConflict as error:
        raise CHANGED_MEANWHILE(
            name=setting.name, expected=change.expected, current=current.version
        ) from error
    if version is None:
        return current
    await store.add_version(tx, setting.name, version)
    tx.emit(
        "setting_changed",
        name=setting.name,
        scope=PLATFORM,
        old_value=_as_json(current.value) if current.version else None,
        new_value=_as_json(version.value),
        changed_by=published_author(change.author),
        type=setting.kind,
        version=version.version,
        reason=version.reason,
        rolled_back_to=rolled_back_to,
    )
    return version


def _parse(setting: Setting[Any], value: object) -> Any:
    try:
        return setting.parse(value)
    except InvalidValue as error:
        raise BAD_VALUE(error=error) from error


def _as_json(value: Any) -> str:
    return orjson.dumps(value).decode()
