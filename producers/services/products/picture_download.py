"""Downloads the pictures that sellers name by URL: from hosts of the public internet only."""

import asyncio

import aiohttp
from yarl import URL

from producers.kit.http.public_hosts import (
    IsAllowed,
    Resolve,
    UrlRefused,
    checked_addresses,
    is_public,
    open_session,
    parse_url,
    resolve_host,
)
from producers.services.products.picture_rules import FORMATS, MAX_BYTES, PictureRefused

MAX_URL_LENGTH = 2_000
EXAMPLE_URL = "https://pictures.example.com/lamp.jpg"
MAX_REDIRECTS = 3

TIMEOUT_S = 20.0
"""The longest time from the first request to the end of the picture, with all redirects."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
BUSY = frozenset({408, 425, 429})
"""Client errors after which a later request may succeed."""

HEADERS = {
    "User-Agent": "Souk-Pictures/1",
    "Accept": ", ".join(FORMATS),
    "Accept-Encoding": "identity",
}


class NotReachable(Exception):
    """The server did not give out the picture. A later attempt may succeed."""


def parse_picture_url(text: str) -> URL:
    """Return the URL of a picture.

    Raises:
        UrlRefused: it is no http or https URL with a host.
    """
    return parse_url(text, ("http", "https"), MAX_URL_LENGTH, EXAMPLE_URL)


async def download(
    url: str, is_allowed: IsAllowed = is_public, resolve: Resolve = resolve_host
) -> tuple[bytes, str | None]:
    """Return a file and its type, if that is one that a picture may have.

    `is_allowed` is asked for each address that is called, also after a redirect.

    Raises:
        PictureRefused: there is no such picture, or it may not be read.
        NotReachable: the server does not answer, or not in time.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            for _ in range(1 + MAX_REDIRECTS):
                found = await _request(url, is_allowed, resolve)
                if not isinstance(found, str):
                    return found
                url = found
    except UrlRefused as error:
        if error.kind == "unknown_host":
            raise NotReachable(str(error)) from error
        raise PictureRefused(error.kind) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        raise NotReachable(type(error).__name__) from error
    raise PictureRefused("too_many_redirects")


async def _request(url: str, is_allowed: IsAllowed, resolve: Resolve) -> tuple[bytes, str | None] | str:
    """Return the file at a URL with its type, or the URL to which it redirects.

    Raises: as `download`, and UrlRefused, or what aiohttp raises.
    """
    parsed = parse_picture_url(url)
    addresses = await checked_addresses(parsed, is_allowed, resolve)
    async with (
        open_session(addresses, TIMEOUT_S) as session,
        session.get(parsed, headers=HEADERS, allow_redirects=False) as response,
    ):
        if response.status in REDIRECTS:
            return _target(parsed, response.headers.get("Location", ""))
        if response.status != 200:
            if response.status in BUSY or response.status >= 500:
                raise NotReachable(f"it answered {response.status}")
            raise PictureRefused("not_found")
        if (response.content_length or 0) > MAX_BYTES:
            raise PictureRefused("too_large")
        try:
            await response.content.readexactly(MAX_BYTES + 1)
        except asyncio.IncompleteReadError as ended:
            media_type = response.content_type.lower()
            return ended.partial, media_type if media_type in FORMATS else None
        raise PictureRefused("too_large")


def _target(url: URL, location: str) -> str:
    """Return the URL to which another one redirects.

    Raises:
        UrlRefused: it is none.
    """
    try:
        return str(url.join(URL(location)))
    except ValueError as error:
        raise UrlRefused("bad_url", str(error)) from error
