"""Requests and responses of the settings endpoints."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from common.configuration.setting import Kind
from producers.services.configuration.model import Value, Version

MAX_REASON_CHARS = 500
MAX_VERSION = 2**63 - 1


def _is_printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be one line of text")
    return text.strip()


Name = Annotated[str, Field(min_length=1, max_length=100)]
VersionNumber = Annotated[int, Field(ge=0, le=MAX_VERSION)]
Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARS), AfterValidator(_is_printable)]


class ChangeRequest(BaseModel):
    """A new value. With `version`, it is refused if the setting has another version meanwhile."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    value: Value
    reason: Reason
    version: VersionNumber | None = None


class RollbackRequest(BaseModel):
    """The version whose value is restored; 0 restores the default."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: VersionNumber
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingResponse(Version):
    """A setting and its present value. `expected` says which values it takes."""

    name: str
    type: Kind
    default: Value
    description: str
    unit: str
    expected: str


class HistoryResponse(TypedDict):
    """Versions of a setting, the newest first. `next_before` continues with older ones; null at the end."""

    name: str
    versions: list[Version]
    next_before: int | None
