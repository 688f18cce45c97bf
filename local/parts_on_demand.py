"""Parts that run only if somebody wants them: `./souk up --with zipkin`, until `--without zipkin`."""

from collections.abc import Iterable
from pathlib import Path

from common.errors import UserError
from common.settings import Settings

ON_DEMAND = ("zipkin",)
"""Each name is also that of a setting, which turns the part on as well."""


def apply(settings: Settings) -> Settings:
    """Return the settings in which the parts that this copy wants are turned on."""
    wanted = [name for name in ON_DEMAND if _file(settings, name).exists()]
    unset = [name for name in wanted if name not in settings.model_fields_set]
    return settings.model_copy(update=dict.fromkeys(unset, True))


def change(settings: Settings, wanted: Iterable[str], unwanted: Iterable[str]) -> None:
    """Note which parts this copy wants from now on.

    Raises:
        UserError: a name is not one of `ON_DEMAND`.
    """
    wanted, unwanted = list(wanted), list(unwanted)
    if unknown := [name for name in (*wanted, *unwanted) if name not in ON_DEMAND]:
        raise UserError(f"{unknown[0]!r} is not a part on demand: choose from {', '.join(ON_DEMAND)}")
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in wanted:
        _file(settings, name).touch()
    for name in unwanted:
        _file(settings, name).unlink(missing_ok=True)


def _file(settings: Settings, name: str) -> Path:
    """Return the file whose existence means that this copy wants a part."""
    return settings.home / f"with_{name}"
