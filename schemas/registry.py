"""A client of a schema registry that speaks Confluent's API (Confluent's own, Apicurio's ccompat/v7)."""

import json
from typing import Any

import httpx

from common.errors import PartUnavailable, Rejected, SoukError
from common.settings import LOOPBACK

FULL_TRANSITIVE = "FULL_TRANSITIVE"
_JSON = {"content-type": "application/vnd.schemaregistry.v1+json"}
_TIMEOUT_S = 10.0


class SchemaRefused(SoukError):
    """The registry does not take a schema: it breaks readers or writers, or is none."""


class Registry:
    """One registry. Safe for several threads; close it, or use it in a `with`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(
            base_url=url, timeout=_TIMEOUT_S, headers=_JSON, trust_env=LOOPBACK not in url
        )

    def __enter__(self) -> "Registry":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def subjects(self) -> list[str]:
        """Names of everything that is registered."""
        names: list[str] = self._call("GET", "/subjects").json()
        return names

    def register(self, subject: str, schema: str) -> int:
        """The id of `schema` (JSON) under `subject`; registers it when it is new.

        Raises:
            SchemaRefused: the registry finds it incompatible with an earlier version, or not Avro.
        """
        path = f"/subjects/{subject}/versions"
        body = {"schema": schema, "schemaType": "AVRO"}
        answer = self._call("POST", path, body, allowed=(409, 422, 500))
        if answer.is_error:
            by_another = self._call("POST", f"/subjects/{subject}", body, allowed=(404, 409, 422, 500))
            if by_another.is_success:  # registered by someone else at this moment
                return int(by_another.json()["id"])
            raise SchemaRefused(
                f"the registry at {self.url} refuses {subject}: {_message(answer)}. "
                "Run `./souk schemas check` to see which field and what to do."
            )
        return int(answer.json()["id"])

    def versions(self, subject: str) -> list[Any]:
        """Every version of a subject's schema (parsed JSON), oldest first; empty when there is none."""
        answer = self._call("GET", f"/subjects/{subject}/versions", allowed=(404,))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        paths = [f"/subjects/{subject}/versions/{number}" for number in answer.json()]
        return [json.loads(self._call("GET", path).json()["schema"]) for path in paths]

    def compatibility(self, subject: str) -> str:
        """The subject's own compatibility level, empty when it has none of its own."""
        answer = self._call("GET", f"/config/{subject}", allowed=(404,))
        return "" if answer.is_error else str(answer.json()["compatibilityLevel"])

    def set_compatibility(self, subject: str, level: str = FULL_TRANSITIVE) -> None:
        """Set what the registry demands of a new version of this subject."""
        path = f"/config/{subject}"
        answer = self._call("PUT", path, {"compatibility": level}, allowed=(409,))
        if answer.is_error:  # someone else set it at this moment
            self._call("PUT", path, {"compatibility": level})

    def schema(self, schema_id: int) -> Any:
        """The schema (parsed JSON) with this id.

        Raises:
            Rejected: there is none.
        """
        answer = self._call("GET", f"/schemas/ids/{schema_id}", allowed=(404,))
        if answer.is_error:
            raise Rejected(f"the registry at {self.url} has no schema with id {schema_id}")
        return json.loads(answer.json()["schema"])

    def _call(
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
                f"{_message(answer)}"
            )
        return answer


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200] or answer.reason_phrase
