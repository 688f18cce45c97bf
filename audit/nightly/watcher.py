"""Writes to the log what a nightly audit could not compare completely."""

import structlog

from audit.comparison import ComparisonResult

log = structlog.get_logger()


class LogWatcher:
    """Logs warnings; ClickHouse has what was found."""

    def doing(self, what: str) -> None:
        """Log nothing: a step takes seconds."""

    def unsettled(self, messages: int) -> None:
        """Log that the comparison goes on although messages are late."""
        log.warning("messages before the cut are still unread: comparing anyway", messages=messages)

    def compared(self, result: ComparisonResult) -> None:
        """Log a comparison that differs, or could not be made."""
        about = {"comparison": result.spec.name, "subject": result.spec.what}
        if result.verdict == "differ":
            log.warning("a comparison differs", **about, differences=result.difference_count)
        if result.verdict == "not compared":
            log.warning("a comparison could not be made", **about, reason=result.unread)

    def not_recorded(self, why: str) -> None:
        """Log that ClickHouse has no record of the audit."""
        log.error("the audit is not recorded", reason=why)
