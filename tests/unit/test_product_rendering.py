"""A picture is rendered in a process that can reach nothing, and that ends in time."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from common.settings import ROOT
from producers.services.products import rendering
from producers.services.products.images import render
from producers.services.products.picture_rules import PictureRefused
from producers.services.products.rendering import render_confined
from tests.pictures import SVG, drawn, jpeg_of, png_of, written


def confined(code, content=b""):
    """Return what a process of `images` writes that runs `code` after its imports."""
    imports = "import os, socket, sys\nfrom producers.services.products import images\n"
    ran = subprocess.run(
        [sys.executable, "-c", imports + code],
        input=content,
        capture_output=True,
        env={"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def reason(content, media_type=None):
    with pytest.raises(PictureRefused) as refused:
        asyncio.run(render_confined(content, media_type))
    return refused.value.reason


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "MPO"])
def test_a_confined_process_renders_the_same_files(kind):
    options = {"save_all": True, "append_images": [drawn()]} if kind == "MPO" else {}
    sent = written(drawn((900, 600)), kind, **options)

    assert asyncio.run(render_confined(sent, None)) == render(sent, None)


def test_a_confined_process_says_why_it_refuses_a_picture():
    assert reason(SVG, "image/png") == "not_a_picture"
    assert reason(jpeg_of(10_000, 10_000), "image/jpeg") == "too_many_pixels"
    assert reason(written(drawn()), "image/webp") == "wrong_type"


def test_the_largest_picture_fits_into_the_limits():
    rendered = asyncio.run(render_confined(png_of(5_400, 5_400), "image/png"))

    assert (rendered.width, rendered.height) == (2_000, 2_000)


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        "open(images.__file__)",
        "open('/tmp/left', 'w')",
        "os.listdir('/')",
        "socket.socket()",
        "os.pipe()",
        "os.execv('/bin/true', ['true'])",
        f"os.kill({os.getpid()}, 0)",
    ],
)
def test_a_confined_process_reaches_nothing(attempt):
    code = f"""
images.confine()
try:
    {attempt}
except OSError as error:
    print("refused")
"""
    assert confined(code) == b"refused\n"


def test_a_picture_that_needs_too_much_memory_is_refused():
    said = confined("images.MEMORY = 48 << 20\nimages.main('image/png')", png_of(5_000, 5_000))

    assert json.loads(said) == {"reason": "too_costly"}


def test_a_picture_that_takes_too_long_is_refused_and_its_process_ends(monkeypatch):
    monkeypatch.setattr(rendering, "TIMEOUT_S", 0.01)

    assert reason(written(drawn())) == "too_costly"


def test_a_process_that_dies_refuses_the_picture(monkeypatch):
    monkeypatch.setattr(rendering, "MODULE", "producers.services.products.no_such_module")

    assert reason(written(drawn())) == "too_costly"
