"""The errors that travel between rooms: what a user did wrong, what to try again, what can never work."""

STOPPED = 130
"""The exit code of a command that Ctrl-C ended."""


class SoukError(Exception):
    """Base of every error that the platform raises on purpose; the message says what to do next."""


class UserError(SoukError):
    """A user's mistake: the command line prints the message in one line and exits with 2."""


class PartUnavailable(SoukError):
    """A part of the platform (Kafka, ClickHouse, ...) does not answer; the message names it."""


class Retryable(SoukError):
    """This message may work later: try it again with back-off."""


class Rejected(SoukError):
    """This message can never work: send it to its dead-letter topic with the reason."""
