"""Reads `docker-compose.yml` and the Dockerfile, and makes the trees that the Dockerfile's steps describe."""

import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from common.settings import ROOT

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")
"""`${NAME}`, `${NAME:-default}` or `${NAME:?error}` of a compose file."""


def compose() -> dict[str, Any]:
    """Return the compose file with its anchors resolved and its variables as they are."""
    content: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return content


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def resolved(text: str, values: Mapping[str, str]) -> str:
    """Return a text of the compose file with the values of its variables, or their defaults."""
    return VARIABLE.sub(lambda found: values.get(found[1], found[3] if found[2] == "-" else ""), text)


def dockerfile() -> list[list[tuple[str, str]]]:
    """Return the stages of the Dockerfile, each a list of instructions with their arguments."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    stages: list[list[tuple[str, str]]] = []
    for line in text.replace("\\\n", " ").splitlines():
        name, _, arguments = line.strip().partition(" ")
        if name == "FROM":
            stages.append([])
        if name:
            stages[-1].append((name, " ".join(arguments.split())))
    return stages


@dataclass
class Image:
    """A stage as a tree of files, with what its instructions set for processes."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""

    def path(self, inside: str) -> Path:
        """Return where a path of the image is in the tree."""
        return self.root / Path("/", self.workdir, inside).relative_to("/")


Run = Callable[[Image, str], None]
"""Carries out the command of a RUN in an image."""


def build(folder: Path, run: Run) -> dict[str, Image]:
    """Carry out the Dockerfile's COPY steps in a folder, and its RUN steps by `run`; return the stages."""
    images: dict[str, Image] = {}
    for stage in dockerfile():
        base, _, name = stage[0][1].partition(" AS ")
        image = images[name] = Image(folder / name)
        if base in images:
            shutil.copytree(images[base].root, image.root, symlinks=True)
            image.env, image.workdir = dict(images[base].env), images[base].workdir
        for instruction, arguments in stage[1:]:
            match instruction:
                case "ENV":
                    image.env |= dict(word.split("=", 1) for word in shlex.split(arguments))
                case "WORKDIR":
                    image.workdir = arguments
                case "USER":
                    image.user = arguments
                case "COPY":
                    _copy(arguments.split(), image, images)
                case "RUN":
                    run(image, arguments)
                case "CMD":
                    pass
                case _:
                    raise AssertionError(f"tests/containers.py does not know {instruction}")
    return images


def _copy(words: list[str], image: Image, images: dict[str, Image]) -> None:
    *sources, target = [word for word in words if not word.startswith("--")]
    origin = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), "")
    into = image.path(target)
    for source in sources:
        if not origin:
            _copy_from_context(source, into, target)
            continue
        found = images[origin].root / source.lstrip("/")
        matches = sorted(found.parent.glob(found.name)) if "*" in source else [found]
        assert matches, f"COPY --from={origin} {source} copies nothing"
        for match in matches:
            _place(match, into / match.name if target.endswith("/") else into)


def _copy_from_context(source: str, into: Path, target: str) -> None:
    """Copy a file or folder of the checkout as `.dockerignore` lets it into the context."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [line[1:] for line in lines if line.startswith("!")]
    if source == ".":
        for name in allowed:
            _place(ROOT / name, into / name)
        return
    assert any(Path(source).is_relative_to(name) for name in allowed), f".dockerignore excludes {source}"
    _place(ROOT / source, into / Path(source).name if target.endswith("/") else into)


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=ignore)
    else:
        shutil.copy(source, target)
