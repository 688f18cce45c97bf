"""The cache of compiled machine code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from recommenders import compiled

INNER = """
from recommenders.compiled import compiled

@compiled
def inner(number):
    return number + {more}
"""
OUTER = """
from recommenders.compiled import compiled
from recommenders.inner import inner

@compiled
def outer(number):
    return inner(number)
"""


def test_code_that_was_kept_is_not_used_once_a_file_that_it_took_in_has_changed(tmp_path: Path) -> None:
    room = tmp_path / "recommenders"
    room.mkdir()
    shutil.copy(compiled.__file__, room)
    (room / "__init__.py").touch()  # so that it is not imported from the checkout
    (room / "outer.py").write_text(OUTER)

    def run(more: int) -> int:
        (room / "inner.py").write_text(INNER.format(more=more))
        asked = "from recommenders.outer import outer; print(outer(1))"
        command = [sys.executable, "-c", asked]
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
        return int(done.stdout)

    assert run(more=1) == 2
    (kept,) = room.glob("__pycache__/compiled-*")
    assert list(kept.rglob("*.nbc"))
    assert run(more=10) == 11
    assert list(room.glob("__pycache__/compiled-*")) != [kept]
