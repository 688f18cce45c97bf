"""The TLS context of requests whose HTTP client lives only for one request."""

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """Return a context that trusts the usual authorities, as httpx creates it for each new client.

    Loading their certificates takes 40 ms of CPU. A check that polls therefore uses this context.
    """
    return httpx.create_ssl_context(trust_env=False)
