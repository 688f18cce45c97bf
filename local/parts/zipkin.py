"""Zipkin, which stores traces in memory and shows them: a part on demand (`./souk up --with zipkin`)."""

from functools import partial

from rich.console import Console

from common.settings import LOOPBACK, Settings
from local.install.fetch import fetch_all, use_system_certificates
from local.install.jars import folder, groups
from local.parts import readiness
from local.parts.java import JVM_ENVIRONMENT, find_java, server_flags
from local.parts.part import Part, Resolution
from local.state_directory import StateDirectory
from local.supervision.launch_file import LaunchSpec

NAME = "zipkin"
"""The name of the part, and of the setting that turns it on."""

MAX_SPANS = 50_000
"""Spans that Zipkin keeps, about 50 MB; it forgets the oldest traces first."""

JVM_FLAGS = (
    "-Xms32m", "-Xmx160m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxMetaspaceSize=128m",
    "-XX:ReservedCodeCacheSize=48m",
)  # fmt: skip


def part(settings: Settings) -> Part:
    """Return Zipkin as configured by these settings."""
    ready = partial(readiness.check_answer, "zipkin", f"{settings.zipkin_base}/health")
    if settings.zipkin_url:
        return Part("zipkin", Resolution("url", "", settings.zipkin_base), settings.zipkin_base, ready)
    (jar,) = groups()["zipkin"].jars
    path = folder(settings.install, "zipkin") / jar.filename
    home = StateDirectory(settings.home).part_directory("zipkin")
    port = settings.port("zipkin")
    listener = {"ip": LOOPBACK, "port": str(port), "protocols[0]": "http"}
    command = [
        str(find_java(settings)[0]), *JVM_FLAGS, *server_flags(home / "tmp"), "-jar", str(path),
        *(f"--armeria.ports[0].{name}={value}" for name, value in listener.items()),
    ]  # fmt: skip
    environment = {
        **JVM_ENVIRONMENT,
        "STORAGE_TYPE": "mem",
        "MEM_MAX_SPANS": str(MAX_SPANS),
        "ZIPKIN_QUERY_ALLOWED_ORIGINS": settings.zipkin_base,  # by default, pages of every site
    }
    return Part(
        "zipkin",
        Resolution("bundled", jar.version, str(path)),
        f"{settings.zipkin_base}/zipkin/",
        ready,
        LaunchSpec(command, home, environment, nice=10),
        lambda: prepare(settings),
        ports={"zipkin": port},
    )


def prepare(settings: Settings) -> None:
    """Create Zipkin's directory, and download its jar (131 MB) the first time.

    Raises:
        UserError: the download failed. The message says what to do.
    """
    (StateDirectory(settings.home).part_directory("zipkin") / "tmp").mkdir(exist_ok=True)
    use_system_certificates()
    fetch_all(settings.install, [groups()["zipkin"]], Console(stderr=True, quiet=True))
