"""Compiles the Java sources of the Flink connectors into one jar with ECJ, without a JDK."""

import os
import subprocess
import tempfile
import zipfile
from pathlib import Path

from common.errors import SoukError

SOURCES = Path(__file__).resolve().parent / "java"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a fixed time, so that the same sources and compiler produce the same jar


class CompilationFailed(SoukError):
    """The sources do not compile; the message is ECJ's report."""


def build(java: Path, ecj: Path, classpath: list[Path], out: Path) -> None:
    """Compile everything under `java/` and write the classes and service files to the jar `out`.

    Args:
        java: the `java` executable (17 or newer).
        ecj: the Eclipse compiler's jar.
        classpath: Flink's jars (dist, table API and runtime, JSON), the Kafka SQL connector, Avro, Jedis.
        out: the jar to write; replaced atomically.

    Raises:
        CompilationFailed: the sources do not compile.
    """
    sources = sorted(SOURCES.rglob("*.java"))
    with tempfile.TemporaryDirectory() as scratch:
        classes = Path(scratch)
        # --release would need the signatures of older releases, which the bundled runtime lacks.
        command = [java, "-jar", ecj, "-source", "17", "-target", "17", "-encoding", "UTF-8", "-proc:none"]
        command += ["-nowarn", "-g", "-cp", os.pathsep.join(map(str, classpath)), "-d", classes, *sources]
        run = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise CompilationFailed(f"the connectors do not compile:\n{run.stdout}{run.stderr}".rstrip())
        members = {path.relative_to(classes).as_posix(): path for path in classes.rglob("*.class")}
        services = (SOURCES / "META-INF").rglob("*")
        members |= {path.relative_to(SOURCES).as_posix(): path for path in services if path.is_file()}
        _write_jar(members, out)


def _write_jar(members: dict[str, Path], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f"{out.name}.{os.getpid()}.partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as jar:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            jar.writestr(entry, members[name].read_bytes())
    partial.replace(out)
