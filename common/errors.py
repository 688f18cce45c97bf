"""Errors that cross rooms: a user's mistake, a part that is down, a message to retry, a message to reject."""

INTERRUPTED = 130
"""Exit code of a command that was ended by Ctrl-C."""


class SoukError(Exception):
    """Base class of all errors that the platform raises on purpose. The message says what to do next."""


class UserError(SoukError):
    """A user's mistake. The command line prints the message in one line and exits with code 2."""


class PartUnavailable(SoukError):
    """A part of the platform (Kafka, ClickHouse, ...) does not answer. The message names the part."""


class Retryable(SoukError):
    """The message may succeed later. The consumer retries it with back-off."""


class Rejected(SoukError):
    """The message can never succeed. The consumer sends it to the dead-letter topic with the reason."""
