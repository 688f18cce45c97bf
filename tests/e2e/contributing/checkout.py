"""Copies the checkout and follows the steps of a list of CONTRIBUTING.md in the copy."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from common.settings import ROOT, Settings
from tests.e2e.contributing.lists import Command, Example, Put
from tests.integration.servers import terminated

FOLDER = Path(__file__).parent
TOOLS = Path(sys.executable).parent
GIT = ("git", "-c", "user.name=test", "-c", "user.email=test@souk.test", "-c", "commit.gpgsign=false")
PYTEST = (sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not nightly")
END, NEXT = ".end", "NEXT_"


class Checkout:
    """Copy the files that git tracks, as the first commit of a new repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in _output(ROOT, "git", "ls-files", "-z").split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self._git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def step(self, name: str, example: Example, number: int, lines: bool = True) -> list[str]:
        """Follow a step (without `lines`, only add its files), and return the files that it changed."""
        self.add(FOLDER / name / str(number))
        for action in example.steps.get(number, ()) if lines else ():
            if isinstance(action, Put):
                self._put(action)
            else:
                self._follow(action)
        changed = self._git("status", "--porcelain", "--untracked-files=all", "-z").split("\0")
        self.commit()
        return [line[3:] for line in changed if line]

    def add(self, files: Path) -> list[str]:
        """Copy the files of a folder to their paths in the copy, and return these paths."""
        paths = {
            file.relative_to(files).as_posix(): file for file in sorted(files.rglob("*")) if file.is_file()
        }
        for path, file in paths.items():
            mode = "a" if path.endswith(END) else "x"
            with self._place(path.removesuffix(END)).open(mode, encoding="utf-8") as out:
                out.write(file.read_text(encoding="utf-8"))
        return list(paths)

    @staticmethod
    def steps(name: str, example: Example) -> set[int]:
        """Return the numbers of the steps that have files or lines."""
        return {int(path.name) for path in (FOLDER / name).glob("[0-9]")} | set(example.steps)

    def commit(self) -> None:
        """Commit all files."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "--no-verify", "--message", "Follow a step")

    def write_golden(self) -> None:
        """Write the golden files anew, as the section "Run" says."""
        self.must(*PYTEST, "tests/contracts/test_golden.py", write_golden=True)

    def run(self, *command: str, write_golden: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run a command in the copy, with the installation of this checkout."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
        environment |= {"SOUK_INSTALL": str(Settings().install), "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {"SOUK_WRITE_GOLDEN": "1"} if write_golden else {}
        pipe = subprocess.PIPE
        started = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=pipe, stderr=pipe)
        with terminated(started) as process:  # on SIGTERM, pytest stops its servers
            out, err = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, out.decode(), err.decode())

    def must(self, *command: str, write_golden: bool = False) -> str:
        """Return the output of a command. If the command fails, the test fails with this output."""
        done = self.run(*command, write_golden=write_golden)
        if done.returncode:
            pytest.fail(f"{' '.join(command)}\n{done.stdout[-20_000:]}\n{done.stderr[-5_000:]}")
        return done.stdout

    def _put(self, put: Put) -> None:
        path = self.folder / put.path
        text = path.read_text(encoding="utf-8")
        assert text.count(put.behind) == 1, f"{put.path} has {put.behind!r} {text.count(put.behind)} times"
        path.write_text(text.replace(put.behind, put.behind + put.text), encoding="utf-8")

    def _follow(self, command: Command) -> None:
        said = self.must(sys.executable, *command.words)
        if command.into:
            self._place(command.into).write_text(said, encoding="utf-8")

    def _place(self, path: str) -> Path:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.name.startswith(NEXT):
            return place
        last = max(int(each.name[:4]) for each in place.parent.glob("[0-9]*.sql"))
        return place.with_name(f"{last + 1:04}_{place.name.removeprefix(NEXT)}")

    def _git(self, *words: str) -> str:
        return _output(self.folder, *GIT, *words)


def _output(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def sections(text: str) -> dict[str, dict[int, str]]:
    """Return heading → number of a step → its text, of CONTRIBUTING.md."""
    parts = re.split(r"^#{2,3} (.+)\n", text, flags=re.MULTILINE)[1:]
    return {
        heading: {
            int(number): step
            for number, step in re.findall(r"^(\d)\. ((?:.|\n(?=   ))+)", body, flags=re.MULTILINE)
        }
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
    }


def names(step: str, lists: dict[str, dict[int, str]], path: str) -> bool:
    """Return whether a step, or a list that it refers to, names a file, such as `<event>.avsc`."""
    pointed = [
        "\n".join(said.values())
        for heading, said in lists.items()
        if re.search(rf"\b{heading.partition(' ')[2].partition(' ')[2]} \(below\)", step)
    ]
    patterns = "\n".join([step, *pointed]).split("`")[1::2]
    return any(re.fullmatch(f"(?:.*/)?{_expression(pattern)}", path) for pattern in patterns)


def _expression(pattern: str) -> str:
    """Return a file pattern of CONTRIBUTING.md as a regular expression."""
    special = {"{": "(?:", "}": ")", ",": "|", "*": r"[^/]+"}
    words = re.split(r"(<[^>]+>|[{},*])", pattern)
    return "".join(r"[^/]+" if w.startswith("<") else special.get(w, re.escape(w)) for w in words)
