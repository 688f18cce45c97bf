"""`/ops`: the whole platform at this moment. A stream keeps the page up to date."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.dates import format_time
from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from common.metrics import LIVE_LISTENERS
from serving.gateway.gateway import identity_of
from serving.gateway.live_stream import LiveStream
from serving.kit.domain import opened
from serving.ops.dependencies import OpsDomain
from serving.ops.overview.schemas import PlatformOverview
from serving.web.admin.audits import OUTCOMES as AUDIT_OUTCOMES
from serving.web.admin.check_texts import check_text
from serving.web.admin.page import ADMINISTRATORS, admin_page, admin_router
from serving.web.admin.trainings import OUTCOMES as TRAINING_OUTCOMES
from serving.web.formatter import Formatter
from serving.web.renderer import PageRenderer
from serving.web.translation import N_, gettext

STAGES: Mapping[str, tuple[str, str]] = {
    "shop": (N_("Shop"), N_("services and their outboxes")),
    "kafka": (N_("Kafka"), N_("events on their way")),
    "jobs": (N_("Jobs"), N_("Flink computes")),
    "stores": (N_("Stores"), N_("figures and recommendations")),
    "api": (N_("API and pages"), N_("what people get")),
    "night": (N_("At night"), N_("trainings and audits")),
}
"""Stage → its title, and what it does."""

PART_STATES: Mapping[str, tuple[str, str]] = {
    "ready": (N_("Ready"), "good"),
    "not_ready": (N_("Not ready"), "bad"),
    "off": (N_("Off"), ""),
}
SEVERITY_TONES: Mapping[str, str] = {"critical": "bad", "warning": "wait"}


@dataclass(frozen=True, slots=True)
class FigureText:
    """How a figure of a stage is shown. Above `limit`, that of its alert if it has one, it needs somebody."""

    title: str
    text: Callable[[Formatter, float], str]
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """A figure of a stage as text."""

    title: str
    text: str
    needs_somebody: bool
    judgement: str
    """What the figure should be at most, and whether it is; empty if it has no limit."""


def duration(formatter: Formatter, seconds: float) -> str:
    """Return a time span in its largest fitting unit, such as `12 s`, `3 min`, `5 h`, `2 d`."""
    if seconds < 120:
        return gettext("%(number)s s", number=formatter.number(round(seconds, 1 if seconds < 10 else None)))
    if seconds < 7_200:
        return gettext("%(number)s min", number=formatter.number(round(seconds / 60)))
    if seconds < 172_800:
        return gettext("%(number)s h", number=formatter.number(round(seconds / 3_600)))
    return gettext("%(number)s d", number=formatter.number(round(seconds / 86_400)))


def megabytes(formatter: Formatter, size: int | None) -> str:
    """Return a memory size in MB, as `./souk status` does."""
    return "–" if size is None else gettext("%(number)s MB", number=formatter.number(round(size / 2**20)))


def moment(formatter: Formatter, when: datetime, now: datetime) -> str:
    """Return a time of today to the second, such as `5:21:40 PM`, and an earlier one with its day."""
    local = when.astimezone(formatter.zone)
    if local.date() != now.astimezone(formatter.zone).date():
        return formatter.time(when)
    return format_time(local, "medium", formatter.zone, locale=formatter.locale)


def _number(formatter: Formatter, value: float) -> str:
    return formatter.number(round(value, 1) if abs(value) < 100 else round(value))


def _share(formatter: Formatter, value: float) -> str:
    return formatter.share(value)


FIGURES: Mapping[str, FigureText] = {
    "orders_per_minute": FigureText(N_("Orders a minute"), _number),
    "events_published_per_s": FigureText(N_("Events a second"), _number),
    "outbox_waiting": FigureText(N_("Waiting in outboxes"), _number),
    "outbox_age_s": FigureText(N_("Oldest waiting event"), duration, 20),
    "messages_per_s": FigureText(N_("Messages a second"), _number),
    "unresolved_dead_letters": FigureText(N_("Dead letters"), _number, 0),
    "messages_behind": FigureText(N_("Messages behind"), _number, 50_000),
    "checkpoint_age_s": FigureText(N_("Oldest checkpoint"), duration, 90),
    "back_pressure": FigureText(N_("Back pressure"), _share, 0.9),
    "rows_per_s": FigureText(N_("Rows a second"), _number),
    "figures_behind_s": FigureText(N_("Figures are behind by"), duration),
    "recommendations_behind_s": FigureText(N_("Newest event in Redis"), duration),
    "rollups_age_s": FigureText(N_("Oldest roll-up"), duration, 600),
    "requests_per_s": FigureText(N_("Requests a second"), _number),
    "error_share": FigureText(N_("Server errors"), _share, 0.01),
    "live_streams": FigureText(N_("Open live pages"), _number),
}
"""Figure of a stage → how it is shown."""


def shown_figures(figures: Mapping[str, float | None], formatter: Formatter) -> list[ShownFigure]:
    """Return the figures of a stage as texts; `–` stands for one that is not known."""
    shown = []
    for name, value in figures.items():
        how = FIGURES[name]
        text = "–" if value is None else how.text(formatter, value)
        needs_somebody = value is not None and how.limit is not None and value > how.limit
        shown.append(ShownFigure(how.title, text, needs_somebody, _judgement(how, value, formatter)))
    return shown


def _judgement(how: FigureText, value: float | None, formatter: Formatter) -> str:
    if how.limit is None or value is None:
        return ""
    limit = how.text(formatter, how.limit)
    if value > how.limit:
        return gettext("too much: at most %(limit)s is fine", limit=limit)
    return gettext("fine up to %(limit)s", limit=limit) if how.limit else gettext("fine")


def operations_view(overview: PlatformOverview, formatter: Formatter) -> dict[str, Any]:
    """Return the variables of the templates of the page and of its regions."""
    parts = [part for stage in overview["stages"] for part in stage["parts"]]
    firing = [each for each in overview["alerts"] or () if each["state"] == "firing"]
    return {
        "ops": overview,
        "now": overview["at"],
        "stage_texts": STAGES,
        "moment": lambda when: moment(formatter, when, overview["at"]),
        "figures_of": lambda stage: shown_figures(stage["figures"], formatter),
        "limits": {name: how.limit for name, how in FIGURES.items() if how.limit is not None},
        "part_states": PART_STATES,
        "not_ready": [part for part in parts if part["state"] == "not_ready"],
        "total_memory": megabytes(formatter, sum(part["memory_bytes"] or 0 for part in parts)),
        "disk": overview["disk"],
        "gigabytes": lambda size: gettext("%(number)s GB", number=formatter.number(round(size / 2**30, 1))),
        "megabytes": lambda size: megabytes(formatter, size),
        "duration": lambda seconds: "–" if seconds is None else duration(formatter, seconds),
        "percentage": lambda share: "–" if share is None else formatter.share(share),
        "check_text": check_text,
        "firing": firing,
        "tones": SEVERITY_TONES,
        "audit_outcomes": AUDIT_OUTCOMES,
        "training_outcomes": TRAINING_OUTCOMES,
        "silent": [
            each for each in overview["sources"] if not each["answers"] and _is_expected(each, overview)
        ],
    }


def _is_expected(source: Any, overview: PlatformOverview) -> bool:
    """Return whether a source that does not answer should: parts that are off should not."""
    off = {
        f"metrics of {part['part']}"
        for stage in overview["stages"]
        for part in stage["parts"]
        if part["state"] == "off"
    }
    if source["source"] == "prometheus" and overview["monitoring"] == "off":
        return False
    return source["source"] not in off | {"metrics of simulator"}


REGIONS = (
    "fresh",
    "map",
    "alerts",
    "lag",
    "jobs",
    "letters",
    "audits",
    "training",
    "mails",
    "sources",
    "said",
)
"""The parts of the page that the stream replaces. Each is an element `live-…` with a template of its own."""

READ_EVERY_S = 3.0
PING_S = 15
"""The page connects again if it hears nothing for a few of these intervals."""

router = admin_router("/ops")


@router.get("")
async def operations(request: Request) -> Response:
    """Return the page. Without a script, a link shows it again."""
    pages = opened(request, PageRenderer)
    overview = await opened(request, OpsDomain).overview.read()
    return admin_page(request, "operations.html", "ops", **operations_view(overview, pages.formatter))


@router.get("/events")
async def operations_events(request: Request) -> EventSourceResponse:
    """Send each part of the page at once, and again whenever it changes, as HTML in an event of its name.

    The stream ends with an event `ended` when the session or the token ends.
    """
    principal = identity_of(request).principal
    slots = opened(request, OpsDomain).overview_slots
    return _OperationsStream(request, slots.take(principal.subject if principal else ""))


class _OperationsStream(LiveStream):
    """The stream of one page."""

    def __init__(self, request: Request, end: Callable[[], None]) -> None:
        self._pages = opened(request, PageRenderer)
        self._service = opened(request, OpsDomain).overview
        super().__init__(request, ADMINISTRATORS, end, self._events(), ping=PING_S, sep="\n")

    async def _events(self) -> AsyncGenerator[ServerSentEvent]:
        sent: dict[str, str] = {}
        LIVE_LISTENERS.labels("operations").inc()
        try:
            while True:
                shown: dict[str, Any] = operations_view(await self._service.read(), self._pages.formatter)
                for region in REGIONS:
                    html = self._pages.render(f"admin/_operations_{region}.html", **shown).decode()
                    if html != sent.get(region):
                        sent[region] = html
                        yield ServerSentEvent(event=region, data=html, sep="\n")
                await asyncio.sleep(READ_EVERY_S)
                if not await self.has_access():
                    break
        finally:
            LIVE_LISTENERS.labels("operations").dec()
        yield ServerSentEvent(event="ended", data="", sep="\n")
