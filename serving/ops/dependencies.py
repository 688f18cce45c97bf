"""The open domain of operations, which its routes and pages read."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from serving.kit.domain import reads
from serving.kit.stream_slots import StreamSlots
from serving.ops.audit_runs import AuditsService
from serving.ops.dead_letters import DeadLetters
from serving.ops.figures_freshness import FiguresFreshness
from serving.ops.overview.service import OverviewService
from serving.ops.protection import Protection
from serving.ops.readiness import ReadinessChecks


@dataclass(frozen=True, slots=True)
class OpsDomain:
    """What operators see: parts, figures, protection, dead letters, audits, and the whole at a glance.

    `audit_hour` is the hour in the shop's time zone at which the nightly audit begins; None if there is none.
    """

    readiness: ReadinessChecks
    freshness: FiguresFreshness
    protection: Protection
    dead_letters: DeadLetters
    audits: AuditsService
    audit_hour: int | None
    overview: OverviewService
    overview_slots: StreamSlots


OpsDep = Annotated[OpsDomain, Depends(reads(OpsDomain))]
