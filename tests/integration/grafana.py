"""A small HTTP server with the parts of Grafana's HTTP API that a deployment uses."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TOKEN = "glsa_a-service-account"
PLUGINS = ("grafana-clickhouse-datasource", "prometheus")

Answer = tuple[int, Any]


class Grafana(ThreadingHTTPServer):
    """Keeps data sources, folders and dashboards in memory, each by its uid."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.plugins = list(PLUGINS)
        self.lets_write = True
        self.sources: dict[str, dict[str, Any]] = {}
        self.folders: dict[str, dict[str, Any]] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """Status and JSON of one request."""
        if method != "GET" and not self.lets_write:
            return 403, {"message": "You'll need additional permissions to perform this action."}
        routes: dict[tuple[str, str], Callable[..., Answer]] = {
            ("GET", r"/api/plugins"): lambda: (200, [{"id": name, "enabled": True} for name in self.plugins]),
            ("GET", r"/api/datasources/uid/([\w-]+)"): lambda uid: _found(self.sources, uid, "Data source"),
            ("POST", r"/api/datasources"): lambda: self._add_source(body),
            ("PUT", r"/api/datasources/uid/([\w-]+)"): lambda uid: self._change_source(uid, body),
            ("GET", r"/api/folders/([\w-]+)"): lambda uid: _found(self.folders, uid, "folder"),
            ("POST", r"/api/folders"): lambda: self._add_folder(body),
            ("POST", r"/api/dashboards/db"): lambda: self._put_dashboard(body),
            ("GET", r"/api/search"): lambda: (200, [_hit(made) for made in self.dashboards.values()]),
            ("DELETE", r"/api/dashboards/uid/([\w-]+)"): lambda uid: self._delete_dashboard(uid),
        }
        for (verb, pattern), act in routes.items():
            if method == verb and (found := re.fullmatch(pattern, path)):
                return act(*found.groups())
        return 404, {"message": "Not found"}

    def _add_source(self, source: dict[str, Any]) -> Answer:
        if source["uid"] in self.sources:
            return 409, {"message": "data source with the same uid already exists"}
        if source["name"] in {other["name"] for other in self.sources.values()}:
            return 409, {"message": "data source with the same name already exists"}
        self.sources[source["uid"]] = source
        return 200, {"datasource": source, "message": "Datasource added", "name": source["name"]}

    def _change_source(self, uid: str, source: dict[str, Any]) -> Answer:
        if uid not in self.sources:
            return 404, {"message": "Data source not found"}
        self.sources[uid] = source
        return 200, {"datasource": source, "message": "Datasource updated"}

    def _add_folder(self, folder: dict[str, Any]) -> Answer:
        if folder["uid"] in self.folders:
            return 412, {"message": "the folder has been changed by someone else"}
        self.folders[folder["uid"]] = folder
        return 200, folder

    def _delete_dashboard(self, uid: str) -> Answer:
        gone = self.dashboards.pop(uid, None)
        return (200, {"title": gone["title"]}) if gone else (404, {"message": "Dashboard not found"})

    def _put_dashboard(self, asked: dict[str, Any]) -> Answer:
        made = asked["dashboard"]
        if not made.get("title"):
            return 400, {"message": "Dashboard title cannot be empty"}
        if asked["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        before = self.dashboards.get(made["uid"])
        if before and not asked.get("overwrite"):
            return 412, {
                "message": "The dashboard has been changed by someone else",
                "status": "version-mismatch",
            }
        version = before["version"] + 1 if before else 1
        self.dashboards[made["uid"]] = {**made, "version": version, "folderUid": asked["folderUid"]}
        url = f"/d/{made['uid']}/{re.sub('[^a-z]+', '-', made['title'].lower())}"
        return 200, {"id": 1, "uid": made["uid"], "url": url, "status": "success", "version": version}


class _Handler(BaseHTTPRequestHandler):
    server: Grafana

    def _do(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            status, answer = 401, {"message": "Invalid API key"}
        else:
            status, answer = self.server.answer(self.command, self.path.partition("?")[0], body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815 - as http.server calls them

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def _hit(made: dict[str, Any]) -> dict[str, Any]:
    """A result of the search, which ignores its filters: the caller must not rely on them."""
    return {"type": "dash-db", **{name: made.get(name) for name in ("uid", "title", "tags", "folderUid")}}


def _found(kept: dict[str, dict[str, Any]], uid: str, what: str) -> Answer:
    return (200, kept[uid]) if uid in kept else (404, {"message": f"{what} not found"})


@contextmanager
def running_grafana() -> Iterator[Grafana]:
    """The server on a free port of loopback."""
    with Grafana() as grafana:
        Thread(target=grafana.serve_forever, daemon=True).start()
        yield grafana
        grafana.shutdown()
