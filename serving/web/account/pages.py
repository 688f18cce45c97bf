"""All routes of the pages of people."""

from fastapi import APIRouter

from serving.web.account import account, demo, invitations, mailbox, session, sign_in

ROUTERS: tuple[APIRouter, ...] = tuple(
    pages.router for pages in (sign_in, session, account, invitations, demo, mailbox)
)
