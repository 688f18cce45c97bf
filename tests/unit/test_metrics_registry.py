import socket
import subprocess
import sys

import httpx
import pytest
from prometheus_client.metrics import MetricWrapperBase

from common import metrics
from common.errors import UserError
from common.operations_server import serve_operations
from common.readiness import ProcessReadiness
from common.settings import LOOPBACK, ROOT, Settings
from common.stopping import Stopping
from tests.ports import free_offset

READY = ProcessReadiness({}, Stopping())
OURS = {name: one for name, one in vars(metrics).items() if isinstance(one, MetricWrapperBase)}


@pytest.mark.parametrize("metric", OURS.values(), ids=OURS.keys())
def test_every_metric_has_the_platforms_prefix_a_label_and_a_help_sentence(metric: MetricWrapperBase):
    assert metric._name.startswith("souk_")
    assert metric._labelnames
    assert metric._documentation.endswith(".")


def test_a_process_exposes_only_the_metrics_that_it_set_and_its_own():
    program = (
        "from common import metrics\n"
        "metrics.OUTBOX_PUBLISHED.labels('orders', 'order_placed').inc()\n"
        "print(metrics.exposition().decode())"
    )
    text = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert 'souk_outbox_published_total{event="order_placed",service="orders"} 1.0\n' in text
    assert "process_resident_memory_bytes" in text
    assert "souk_simulator_events_total{" not in text


def test_a_process_without_an_http_server_exposes_its_metrics_on_loopback():
    settings = Settings(port_offset=free_offset())
    serve_operations(settings, "jobs", READY)
    answer = httpx.get(f"http://{LOOPBACK}:{settings.port('jobs')}/metrics", trust_env=False)
    assert "python_info" in answer.text
    with pytest.raises(UserError, match="SOUK_PORT_OFFSET"):
        serve_operations(settings, "jobs", READY)


def test_in_a_container_prometheus_reads_metrics_under_the_host_name_only_there():
    name = socket.gethostname()
    for host, status in (("0.0.0.0", 200), (LOOPBACK, 403)):
        settings = Settings(port_offset=free_offset(), listen_host=host)
        serve_operations(settings, "jobs", READY)
        url = f"http://{LOOPBACK}:{settings.port('jobs')}/metrics"
        answer = httpx.get(url, headers={"Host": f"{name}:8020"}, trust_env=False)
        assert answer.status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1:{port}@evil.example"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_web_page_does_not_read_metrics(headers: dict[str, str]):
    settings = Settings(port_offset=free_offset())
    serve_operations(settings, "jobs", READY)
    port = settings.port("jobs")

    sent = {name: value.format(port=port) for name, value in headers.items()}
    answer = httpx.get(f"http://{LOOPBACK}:{port}/metrics", headers=sent, trust_env=False)

    assert answer.status_code == 403
    assert "python_info" not in answer.text
