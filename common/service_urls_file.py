"""Reads the base URLs of services from a JSON file, again whenever it changes.

The file has what `SOUK_SERVICE_URLS` has: `{"orders": "http://a:8010,http://b:8010"}`; a list of URLs is
allowed, too. Services that it does not name are at the address of commerce.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import structlog

from common.errors import UserError
from common.metrics import WATCHED_FILE_VALID

ServiceUrls = Mapping[str, list[str]]
"""Service → its base URLs, without a trailing slash."""

log = structlog.get_logger()

_FILE = "service_urls"


class ServiceUrlsFile:
    """A file and its last valid content. Its methods read the file: call them in a thread."""

    def __init__(self, path: Path, services: Collection[str] | None = None) -> None:
        """`services` are the names that may be in the file; None: every name."""
        self._path = path
        self._services = services
        self._seen: bytes | None = None

    def read(self) -> ServiceUrls:
        """Return the URLs in the file.

        Raises:
            UserError: it can't be read, or is not valid. The message says what is wrong.
        """
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise UserError(f"SOUK_SERVICE_URLS_FILE: {self._path}: {error.strerror}") from error
        self._seen = content
        urls = self._parse(content)
        WATCHED_FILE_VALID.labels(_FILE).set(1)
        return urls

    def read_if_changed(self) -> ServiceUrls | None:
        """Return the URLs if the content is another one than at the last reading, and valid; otherwise None.

        If it can't be read or is not valid, the log and the metric say so, once for each content.
        """
        try:
            content, problem = self._path.read_bytes(), ""
        except OSError as error:
            content, problem = b"", error.strerror or "it can't be read"
        if content == self._seen:
            return None
        self._seen = content
        try:
            if problem:
                raise UserError(problem)
            urls = self._parse(content)
        except UserError as error:
            WATCHED_FILE_VALID.labels(_FILE).set(0)
            log.error("the last valid URLs of services stay in use", file=str(self._path), reason=str(error))
            return None
        WATCHED_FILE_VALID.labels(_FILE).set(1)
        log.info("the URLs of services have changed", file=str(self._path), services=sorted(urls))
        return urls

    def _parse(self, content: bytes) -> ServiceUrls:
        try:
            given = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise UserError(f"SOUK_SERVICE_URLS_FILE: {self._path} is not JSON: {error}") from error
        try:
            return parse_service_urls(given, self._services)
        except UserError as error:
            raise UserError(f"SOUK_SERVICE_URLS_FILE: {self._path}: {error}") from error


def parse_service_urls(given: object, services: Collection[str] | None = None) -> ServiceUrls:
    """Return the URLs of an object: service → URLs, as a list or separated by commas.

    Raises:
        UserError: it is not such an object, has a name that is not in `services`, or a URL is invalid.
    """
    if not isinstance(given, dict):
        raise UserError('expected an object such as {"orders": "http://a:8010"}')
    urls = {}
    for service, value in given.items():
        if services is not None and service not in services:
            raise UserError(f"{service!r} is no service; there are {', '.join(services)}")
        listed = value.split(",") if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(url, str) for url in listed):
            raise UserError(f"{service}: expected URLs, as a list or separated by commas")
        found = [url.strip().rstrip("/") for url in listed if url.strip()]
        for url in found:
            _check_url(service, url)
        if found:
            urls[service] = list(dict.fromkeys(found))
    return urls


def _check_url(service: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise UserError(f"{service}: {url!r} is not a URL such as http://host:8010")
