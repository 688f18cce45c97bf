"""Error responses of the routes about audits."""

from common.problems import Problem


class UnknownAudit(Problem):
    """There is no audit with this id."""

    status, kind, title = 404, "unknown-audit", "Unknown audit"

    def __init__(self, audit_id: str) -> None:
        super().__init__(f"There is no audit {audit_id!r}. GET /v1/ops/audits lists all.")
