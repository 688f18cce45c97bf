"""What starts an audit, and how it ends."""

from typing import Literal, get_args

AuditTrigger = Literal["scheduled", "requested"]
"""What started an audit: the night, or a person."""

AuditOutcome = Literal[
    "running", "agree", "differ", "incomplete", "nothing", "failed", "stopped", "interrupted"
]
"""`incomplete`: a store could not be read, and no other figure differs. `nothing`: every store is empty.
`failed`: the audit itself. `stopped`: together with the platform. `interrupted`: nothing recorded its end."""

AUDIT_OUTCOMES: tuple[AuditOutcome, ...] = get_args(AuditOutcome)
