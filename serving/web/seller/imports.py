"""`/sell/{seller_id}/imports`: files of listings that a seller sends, how far each is, and refused rows."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from io import StringIO
from typing import Any

from fastapi import Request
from starlette.responses import Response

from common.guarded_route import policy
from common.ids import Uuid
from common.problems import Problem
from serving.commerce.commerce_client import target_path
from serving.commerce.routes import CommerceDomain
from serving.kit.domain import opened
from serving.kit.parameters import Cursor, SellerId
from serving.web.forms import RELOAD, BadField, Form, action, confirmation, form_page, read_form_with_files
from serving.web.policy import OF_MANAGERS, OF_STAFF, page_router
from serving.web.seller.listings import of_seller
from serving.web.service_calls import ask
from serving.web.translation import N_, gettext

PAGE = "/sell/{seller_id}/imports"
IMPORTS = "/v1/sellers/{seller_id}/listing_imports"
IMPORT = f"{IMPORTS}/{{import_id}}"

FILE_LIMIT = 32 * 1024 * 1024
"""The largest form with a file in bytes. Larger files are sent with the API."""

FILE = "application/octet-stream"
MAX_NAME_CHARS = 200

SHOWN = "20"
SHOWN_DEFECTS = 200
MAX_READ_DEFECTS = 2_000
"""The page shows the first refused rows, unless there are more than this: then only the file has them."""

MESSAGES: Mapping[str, str] = {"sent": N_("The file was sent. Its rows are applied now.")}

STATUSES: Mapping[str, str] = {
    "waiting": N_("Waiting"),
    "running": N_("Running"),
    "done": N_("Done"),
    "failed": N_("Failed"),
}
TONES: Mapping[str, str] = {"waiting": "wait", "running": "wait", "done": "good", "failed": "bad"}

router = page_router(OF_STAFF)


@router.get(PAGE)
async def imports_page(request: Request, seller_id: SellerId, cursor: Cursor | None = None) -> Response:
    """Return the form that sends a file, and the files of the last time, the newest first."""
    return await _imports_page(request, cursor=cursor)


@router.post(PAGE)
@policy(OF_MANAGERS)
async def send_import(request: Request, seller_id: SellerId) -> Response:
    """Send a file; its own page says how far it is."""

    async def send(form: Form) -> Response:
        if not form.files:
            raise BadField(gettext("Choose a file."))
        file = form.files[0][1]
        name = "".join(each for each in file.name if each.isprintable())[:MAX_NAME_CHARS]
        query = {each: "true" for each in ("dry_run", "again") if form.text(each)}
        query |= {"file_name": name} if name else {}
        content = replace(file, media_type=FILE)  # systems name the types of tables in many ways
        sent = await ask(request, "POST", IMPORTS, query=query, file=content)
        ids = {**request.path_params, "import_id": sent["import_id"]}
        return confirmation(target_path(f"{PAGE}/{{import_id}}", ids), "sent")

    read = partial(read_form_with_files, limit=FILE_LIMIT)
    return await action(request, send, _imports_page, PAGE, "sent", read)


@router.get(f"{PAGE}/{{import_id}}")
async def import_page(request: Request, seller_id: SellerId, import_id: Uuid) -> Response:
    """Return how far an import is, and the rows that were refused."""
    found = await ask(request, "GET", IMPORT)
    runs = found["status"] in ("waiting", "running")
    page = form_page(
        request,
        "seller/import.html",
        MESSAGES,
        found=found,
        runs=runs,
        defects=[] if runs else await _defects(request, found["refused"]),
        statuses=STATUSES,
        tones=TONES,
        **await of_seller(request),
    )
    if runs:
        page.headers.update(RELOAD)
    return page


async def _defects(request: Request, refused: int) -> list[dict[str, str]]:
    """Return the first refused rows as the report has them; none if there are too many to read."""
    if not 0 < refused <= MAX_READ_DEFECTS:
        return []
    commerce = opened(request, CommerceDomain).client
    report = await commerce.file(request, target_path(f"{IMPORT}/report.csv", request.path_params))
    rows = csv.DictReader(StringIO(report.decode("utf-8-sig")))
    return [row for row, _ in zip(rows, range(SHOWN_DEFECTS), strict=False)]


async def _imports_page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    cursor: str | None = None,
) -> Response:
    page: dict[str, Any] = await ask(request, "GET", IMPORTS, query={"cursor": cursor, "limit": SHOWN})
    return form_page(
        request,
        "seller/imports.html",
        MESSAGES,
        problem,
        entered,
        imports=page["imports"],
        next_cursor=page["next_cursor"],
        statuses=STATUSES,
        tones=TONES,
        max_mb=FILE_LIMIT >> 20,
        **await of_seller(request),
    )
