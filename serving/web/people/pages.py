"""All routes of the pages of people."""

from fastapi import APIRouter

from serving.web.people import (
    account_pages,
    followed_pages,
    invitation_pages,
    look_as_pages,
    mailbox_pages,
    session_pages,
    sign_in_pages,
)

ROUTERS: tuple[APIRouter, ...] = tuple(
    pages.router
    for pages in (
        sign_in_pages,
        session_pages,
        account_pages,
        followed_pages,
        invitation_pages,
        look_as_pages,
        mailbox_pages,
    )
)
