"""The HTTP requests that check whether a part is ready."""

import ssl
from functools import cache
from typing import Any

import httpx

TIMEOUT_S = 3.0


def probe(method: str, url: str, **options: Any) -> httpx.Response:
    """Send one request, ignoring proxies, and return the response of any status.

    Raises:
        httpx.HTTPError: no response arrived in time.
    """
    return httpx.request(method, url, verify=_tls_context(), timeout=TIMEOUT_S, trust_env=False, **options)


@cache
def _tls_context() -> ssl.SSLContext:
    """Return httpx's default TLS context.

    httpx would load all certificates again for each request, also to an `http:` URL: 40 ms of CPU time.
    """
    return httpx.create_ssl_context(trust_env=False)
