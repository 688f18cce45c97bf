"""How long browsers and shared caches (a CDN, a caching proxy) may store each kind of response (RFC 9111).

A response that depends on who sends the request is private. A public one sets no cookie, because a shared
cache would give the cookie to other visitors. Events drop what this server caches, but not what others cache:
a price in a shared cache may be as old as `s-maxage` and `stale-while-revalidate` together, because the cache
serves the stale response once while it revalidates. The checkout compares the prices that a shopper
saw with the current ones.
"""

from hashlib import blake2b

from fastapi import Request

PUBLIC_PAGE = "public, max-age=0, s-maxage=30, stale-while-revalidate=60"
"""A page that is the same for every visitor with the same language. Browsers ask each time whether it has
changed."""

LANGUAGE_HEADERS = "Accept-Language, Cookie"
"""The `Vary` of a page: its language depends on these headers of a request; of cookies, on `souk_language`
alone. A proxy that stores public pages may leave all other cookies out of its key, so that visitors with the
same language share a page."""

PUBLIC_DATA = "public, max-age=0, s-maxage=5, stale-while-revalidate=30"
"""A JSON response that is the same for every client."""

PRIVATE = "private, no-cache"
"""A response for one visitor, or one whose readers are restricted. A browser may store it, but asks each time
whether it has changed."""

PRIVATE_NO_STORE = "private, no-store"
"""A response that nobody stores."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""A file whose URL contains its fingerprint: stored for a year."""


def etag_of(body: bytes) -> str:
    """Return the entity tag of a body."""
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def has_current(request: Request, etag: str) -> bool:
    """Return whether the client has the response with this entity tag (`If-None-Match`)."""
    client_etags = [each.strip() for each in request.headers.get("If-None-Match", "").split(",")]
    return "*" in client_etags or etag in (each.removeprefix("W/") for each in client_etags)
