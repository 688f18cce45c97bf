"""Error responses of the settings endpoints."""

from common.problems import problem

UNKNOWN_SETTING = problem(
    404,
    "unknown-setting",
    "Unknown setting",
    "There is no setting {name!r}. The settings are: {settings}.",
)
UNKNOWN_VERSION = problem(
    404,
    "unknown-version",
    "Unknown version",
    "Setting {name} has no version {version}. GET /v1/settings/{name}/history lists its versions; version 0 "
    "is the default. Nothing was changed.",
)
BAD_VALUE = problem(
    422,
    "bad-value",
    "The setting does not take this value",
    "{error}. Send such a value. Nothing was changed.",
)
CHANGED_MEANWHILE = problem(
    409,
    "changed-meanwhile",
    "The setting was changed meanwhile",
    "Setting {name} has version {current}, not {expected}: somebody has changed it. Read it again with GET "
    "/v1/settings, and send the change with `version`: {current} if it is still right. Nothing was changed.",
    members={"current_version": "current"},
)
