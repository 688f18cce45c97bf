"""`python -m dashboards.deploy`: deploys data sources and dashboards to a Grafana.

Runs in a separate environment with grafana-client (`cli/dashboards.py`). The input is one JSON
object on standard input, so that the token does not appear in the list of processes.
"""

import json
import sys
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import niquests
from grafana_client import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException, GrafanaServerError

FOLDER_UID, FOLDER = "souk", "Souk"
TAG, UID_PREFIX = "souk", "souk-"
"""What the dashboards of `./souk` have in common. Nobody else's dashboard in the folder has both."""
TIMEOUT_S = 15.0

Json = dict[str, Any]


class DeploymentRefused(Exception):
    """Grafana can't use a data source; the message says what to do."""


def deploy(grafana: GrafanaApi, url: str, sources: list[Json], dashboards: dict[str, Json]) -> list[str]:
    """Create or update the data sources, the folder and the dashboards; return the dashboards' URLs.

    Dashboards that an earlier version deployed, and that this one does not have, are deleted.

    Raises:
        DeploymentRefused: a data source needs a plugin that is not installed.
        GrafanaException: Grafana answers with an error.
    """
    installed = {plugin["id"] for plugin in grafana.plugin.list()}
    for source in sources:
        if source["type"] not in installed:
            how = f"`grafana cli plugins install {source['type']}`, then restart Grafana"
            raise DeploymentRefused(f"Grafana lacks the plugin {source['type']}: {how}")
    stored = grafana.datasource
    for source in sources:
        uid = source["uid"]
        if exists(partial(stored.get_datasource_by_uid, uid)):
            stored.update_datasource_by_uid(uid, source)
        else:
            stored.create_datasource(source)
    if not exists(partial(grafana.folder.get_folder, FOLDER_UID)):
        grafana.folder.create_folder(FOLDER, FOLDER_UID)
    options = {"folderUid": FOLDER_UID, "overwrite": True, "message": "./souk dashboards deploy"}
    answers = [
        grafana.dashboard.update_dashboard({**options, "dashboard": dashboard})
        for dashboard in dashboards.values()
    ]
    prune(grafana, {str(dashboard["uid"]) for dashboard in dashboards.values()})
    return [url.rstrip("/") + answer["url"] for answer in answers]


def prune(grafana: GrafanaApi, kept: Collection[str]) -> None:
    """Delete the dashboards of ours whose uid is not one of `kept`. All others stay, wherever they are."""
    found = grafana.search.search_dashboards(tag=TAG, type_="dash-db", folder_uids=FOLDER_UID, limit=5000)
    for each in found:
        is_ours = each.get("folderUid") == FOLDER_UID and TAG in each.get("tags", ())
        if is_ours and each["uid"].startswith(UID_PREFIX) and each["uid"] not in kept:
            grafana.dashboard.delete_dashboard(each["uid"])


def exists(find: Callable[[], Any]) -> bool:
    """Return whether `find` gets an object from Grafana, and not the status 404."""
    try:
        find()
    except GrafanaClientError as error:
        if error.status_code != 404:
            raise
        return False
    return True


def main() -> int:
    """Deploy the JSON object on standard input; return 0, or 2 after printing what to do."""
    request = json.load(sys.stdin)
    url = request["url"]
    grafana = GrafanaApi.from_url(url, request["token"], timeout=TIMEOUT_S)
    try:
        for address in deploy(grafana, url, request["sources"], request["dashboards"]):
            print(address)
        return 0
    except DeploymentRefused as error:
        reason = str(error)
    except GrafanaServerError as error:
        reason = f"Grafana at {url} failed ({error.message})"
    except GrafanaException as error:
        reason = {
            401: f"Grafana at {url} does not accept this token: create one under Service accounts",
            403: f"Grafana at {url} does not permit this token ({error.message}): give it the role Admin",
        }.get(error.status_code, f"Grafana at {url} answered with an error: {error.message}")
    except niquests.exceptions.ConnectionError:
        reason = f"nothing answers at {url}: is Grafana running there?"
    except (niquests.exceptions.RequestException, ValueError, LookupError, TypeError) as error:
        reason = f"the server at {url} is not Grafana ({' '.join(str(error).split())[:200]})"
    print(f"souk: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
