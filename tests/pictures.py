"""Pictures for tests, honest and hostile ones."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

RED, BLUE = (200, 30, 30), (30, 30, 200)

SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200">
<script>fetch('/v1/me')</script><rect width="200" height="200" fill="red"/></svg>"""

HTML = b"<!doctype html><script>alert(document.cookie)</script>"


def drawn(size: tuple[int, int] = (300, 200), mode: str = "RGB") -> Image.Image:
    """Return a picture whose upper left corner is red, and whose other places are blue."""
    image = Image.new("RGB", size, BLUE)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 3, size[1] // 3), fill=RED)
    return image if mode == "RGB" else image.convert(mode)


def written(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return the file of a picture."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    """Return the picture of a file."""
    image = Image.open(BytesIO(content))
    image.load()
    return image


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, *chunks: bytes, rows: int | None = None) -> bytes:
    """Return a black PNG in grey of any size, with further chunks; it may have fewer rows than it says."""
    packer = zlib.compressobj(9)
    black = bytes(width + 1)
    content = (
        b"".join(packer.compress(black) for _ in range(height if rows is None else rows)) + packer.flush()
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), *chunks, chunk(b"IDAT", content), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg_of(width: int, height: int) -> bytes:
    """Return a JPEG that says it has this size, and has much less content."""
    content = written(drawn((128, 128)), "JPEG")
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", height, width) + content[place + 4 :]
