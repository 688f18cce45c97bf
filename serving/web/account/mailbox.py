"""The local mailbox: the mails that would be sent, until the platform can send mails."""

import re
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from common.access_policy import NotAllowed, SignInRequired, anyone
from common.ids import PRINTABLE
from serving.commerce.commerce_client import GATEWAY_ITSELF
from serving.gateway.gateway import identity_of, to_sign_in
from serving.gateway.sign_in_redirect import is_page_visit
from serving.kit.domain import opened
from serving.web.account.demo import may_read_mails
from serving.web.account.page import page, read
from serving.web.policy import page_router
from serving.web.renderer import PageRenderer

MAILS_SHOWN = 50

_LINK = re.compile(r"https?://\S+")

router = page_router(anyone("operations"))


@router.get("/ops/mail")
async def mailbox(
    request: Request, to: Annotated[str, Query(max_length=320, pattern=PRINTABLE)] = ""
) -> Response:
    """Return the newest mails, all or those to an address.

    Mails contain links that work, so only administrators see them, and in the demo everybody on its machine.
    """
    if not await may_read_mails(request):
        if identity_of(request).signed_in is not None:
            raise NotAllowed("This needs the role admin.")
        if not is_page_visit(request):
            raise SignInRequired
        return to_sign_in(request)
    query = {"limit": str(MAILS_SHOWN), "to": to.strip() or None}
    site = opened(request, PageRenderer).base
    mails = [
        {
            **mail,
            "created_at": datetime.fromisoformat(mail["created_at"]),
            "parts": with_links(mail["text"], site),
        }
        for mail in await read(request, "/v1/mails", query, GATEWAY_ITSELF)
    ]
    return page(request, "mailbox.html", mails=mails, to=to)


def with_links(text: str, site: str) -> list[tuple[str, str | None]]:
    """Return a mail's text in parts: (text, None), or (link, its path) for a link to a page of this site."""
    parts: list[tuple[str, str | None]] = []
    end = 0
    for found in _LINK.finditer(text):
        path = found[0].removeprefix(site)
        parts.append((text[end : found.start()], None))
        parts.append((found[0], path if path.startswith("/") and found[0] != path else None))
        end = found.end()
    return [part for part in (*parts, (text[end:], None)) if part[0]]
