"""`/admin/dead-letters`: messages that a service or a job has rejected; replaying and discarding them."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from common.ids import Id
from common.problems import Problem
from serving.kit.domain import opened
from serving.ops.dead_letters import NotReplayable
from serving.ops.dependencies import OpsDomain
from serving.web.admin.page import admin_page, admin_router
from serving.web.forms import BadField, Form, action
from serving.web.translation import gettext

PAGE_LETTERS = 50
MAX_OFFSET = 2**63 - 1

HERE = "/admin/dead-letters/{topic}"

router = admin_router()


@router.get("/dead-letters")
async def dead_letters(request: Request) -> Response:
    """Return the topics with unresolved dead letters."""
    return admin_page(
        request,
        "dead_letters.html",
        "dead-letters",
        topics=await opened(request, OpsDomain).dead_letters.summaries(),
    )


@router.get("/dead-letters/{topic}")
async def dead_letters_of_topic(
    request: Request, topic: Id, after: Annotated[int, Query(ge=-1, le=MAX_OFFSET)] = -1
) -> Response:
    """Return the unresolved dead letters of a topic, oldest first, with the event or the raw value."""
    return await _topic_page(request, after=after)


async def _topic_page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    after: int = -1,
) -> Response:
    page = await opened(request, OpsDomain).dead_letters.page(
        request.path_params["topic"], after, PAGE_LETTERS
    )
    return admin_page(
        request, "dead_letters_of_topic.html", "dead-letters", problem, entered, page=page, after=after
    )


@router.post("/dead-letters/{topic}/replay")
async def replay_dead_letters(request: Request, topic: Id) -> Response:
    """Send the selected dead letters again, or all, to the consumer that rejected them."""

    async def replay(form: Form) -> str:
        sent = await opened(request, OpsDomain).dead_letters.replay(topic, selected(form))
        return "replayed" if sent else "none_replayed"

    return await action(request, replay, _topic_page, HERE, "replayed", refusals=(NotReplayable,))


@router.post("/dead-letters/{topic}/discard")
async def discard_dead_letters(request: Request, topic: Id) -> Response:
    """Mark the selected dead letters, or all, as resolved without sending them."""

    async def discard(form: Form) -> None:
        await opened(request, OpsDomain).dead_letters.discard(topic, selected(form))

    return await action(request, discard, _topic_page, HERE, "discarded", refusals=(NotReplayable,))


def selected(form: Form) -> frozenset[int] | None:
    """Return the offsets that were ticked; None for all.

    Raises:
        BadField: none was ticked, or an offset is no number.
    """
    if form.text("all"):
        return None
    offsets = form.all("offset")
    if not offsets:
        raise BadField(gettext("No dead letter is selected. Tick at least one."))
    if not all(offset.isascii() and offset.isdecimal() and len(offset) < 20 for offset in offsets):
        raise BadField(gettext("An offset is no number. Open the page again."))
    return frozenset(map(int, offsets))
