"""A client of schema registries with Confluent's API, such as Apicurio's ccompat/v7."""

import json
from typing import Any

import httpx

from common.errors import PartUnavailable, Rejected, SoukError
from common.settings import LOOPBACK
from common.timeouts import PEER_TIMEOUT_S
from common.urls import credentials, redact_password

FULL_TRANSITIVE = "FULL_TRANSITIVE"
_JSON = {"content-type": "application/vnd.schemaregistry.v1+json"}
_READ_TIMEOUT_S = 60.0
"""On a busy machine, the first requests after the registry's start take long: its JVM compiles their code."""


class SchemaRefused(SoukError):
    """The registry rejects a schema: it breaks readers or writers, or is invalid."""


class SchemaRegistry:
    """A client of one registry. It is thread-safe; use it as a context manager."""

    def __init__(self, url: str) -> None:
        """`url` may contain a user and a password, which are left out of messages."""
        self.url = redact_password(url)
        self._http = httpx.Client(
            base_url=self.url,
            auth=credentials(url),
            timeout=httpx.Timeout(PEER_TIMEOUT_S, read=_READ_TIMEOUT_S),
            headers=_JSON,
            trust_env=LOOPBACK not in url,
        )

    def __enter__(self) -> "SchemaRegistry":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def subjects(self) -> list[str]:
        """Return the names of all subjects."""
        return list(self._request("GET", "/subjects").json())

    def register(self, subject: str, schema: str) -> int:
        """Register `schema` (JSON) under `subject` if it is new, and return its id.

        Raises:
            SchemaRefused: it is incompatible with an earlier version, or not Avro.
        """
        path = f"/subjects/{subject}/versions"
        body = {"schema": schema, "schemaType": "AVRO"}
        answer = self._request("POST", path, body, allowed=(409, 422, 500))
        if answer.is_error:
            existing = self._request("POST", f"/subjects/{subject}", body, allowed=(404, 409, 422, 500))
            if existing.is_success:  # another client has just registered it
                return int(existing.json()["id"])
            raise SchemaRefused(
                f"the registry at {self.url} refuses {subject}: {_error_message(answer)}. "
                "Run `./souk schemas check` to see which field and what to do."
            )
        return int(answer.json()["id"])

    def versions(self, subject: str) -> list[Any]:
        """Return every version of a subject's schema (parsed JSON), oldest first; empty if there is none."""
        answer = self._request("GET", f"/subjects/{subject}/versions", allowed=(404,))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        paths = [f"/subjects/{subject}/versions/{number}" for number in answer.json()]
        return [json.loads(self._request("GET", path).json()["schema"]) for path in paths]

    def compatibility(self, subject: str) -> str:
        """Return the compatibility level that was set for the subject; empty if none was."""
        answer = self._request("GET", f"/config/{subject}", allowed=(404,))
        return "" if answer.is_error else str(answer.json()["compatibilityLevel"])

    def set_compatibility(self, subject: str, level: str = FULL_TRANSITIVE) -> None:
        """Set the compatibility level of a subject."""
        path = f"/config/{subject}"
        answer = self._request("PUT", path, {"compatibility": level}, allowed=(409,))
        if answer.is_error:  # another client has just set it
            self._request("PUT", path, {"compatibility": level})

    def schema(self, schema_id: int) -> Any:
        """Return the schema (parsed JSON) with this id.

        Raises:
            Rejected: there is none.
        """
        answer = self._request("GET", f"/schemas/ids/{schema_id}", allowed=(404,))
        if answer.is_error:
            raise Rejected(f"the registry at {self.url} has no schema with id {schema_id}")
        return json.loads(answer.json()["schema"])

    def _request(
        self, method: str, path: str, body: Any = None, allowed: tuple[int, ...] = ()
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise PartUnavailable(
                f"the schema registry at {self.url} does not answer ({error}): start it with `./souk up`, "
                "or set SOUK_REGISTRY_URL"
            ) from error
        if answer.is_error and answer.status_code not in allowed:
            raise PartUnavailable(
                f"the schema registry at {self.url} answered {answer.status_code} to {method} {path}: "
                f"{_error_message(answer)}"
            )
        return answer


def _error_message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200] or answer.reason_phrase
