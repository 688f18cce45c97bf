"""Makes the files that are stored of a picture: upright, in sRGB, without metadata, in the sizes of pages.

`python -m producers.services.products.images TYPE` does it for the picture at its standard input, within
limits of memory and time, and without a right to any file, connection or other process: decoders are written
in C, and what they read may be hostile. `rendering.py` runs it.
"""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from math import ceil

from PIL import (
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from producers.kit import confinement
from producers.services.products.picture_rules import (
    FORMATS,
    LARGEST,
    MAX_PIXELS,
    MIN_SIDE,
    SIZES,
    PictureRefused,
    Rendered,
)

PLUGINS = (
    GifImagePlugin, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin,
)  # fmt: skip
"""What Pillow would otherwise import when it needs it. The one of TIFF reads EXIF."""

QUALITY = 82
"""Of WebP; like about 87 of JPEG."""

SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"RIFF")
"""With which files of these formats begin."""

MEMORY = 448 << 20
"""Limit of the process' own memory in bytes: enough for pictures of `MAX_PIXELS`."""

CPU_S = 15

_ORIENTATION = 0x0112
"""The tag of EXIF that says how the camera was held."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""A value of this tag → what makes the picture upright."""


def render(content: bytes, media_type: str | None) -> Rendered:
    """Return the files of a picture. Only the first image of an animation is shown.

    `media_type` is what the sender says that it is; None if they say nothing.

    Raises:
        PictureRefused: it can't be used.
        MemoryError: it needs more memory than the process may have.
    """
    with _refusals(content):
        image = Image.open(BytesIO(content), formats=tuple(FORMATS.values()))
        is_of = "JPEG" if image.format == "MPO" else image.format  # several JPEGs in one file
        if media_type is not None and FORMATS[media_type] != is_of:
            raise PictureRefused("wrong_type")
        _check_size(image, is_of)
        if is_of == "JPEG":
            share = int(LARGEST) / max(image.size)  # decodes a large one at 1/2, 1/4 or 1/8
            image.draft(None, (ceil(image.width * share), ceil(image.height * share)))
        image.load()
        _check_size(image, is_of)
        turn = _TURNS.get(_orientation(image))
        whole = _coloured(image)
        if turn is not None:
            whole = whole.transpose(turn)
        return Rendered(whole.width, whole.height, {size: _encoded(whole, int(size)) for size in SIZES})


@contextmanager
def _refusals(content: bytes) -> Iterator[None]:
    """Turn what decoders raise for a file that they can't read into a refusal: any kind of error."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except (PictureRefused, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise PictureRefused("too_many_pixels") from error
    except UnidentifiedImageError as error:
        raise PictureRefused("damaged" if content.startswith(SIGNATURES) else "not_a_picture") from error
    except Exception as error:
        raise PictureRefused("damaged") from error


def _check_size(image: Image.Image, is_of: str | None) -> None:
    if image.width * image.height > MAX_PIXELS[str(is_of)]:
        raise PictureRefused("too_many_pixels")
    if min(image.size) < MIN_SIDE:
        raise PictureRefused("too_small")


def _orientation(image: Image.Image) -> int:
    """Return how the camera was held, as EXIF counts it; 1 (upright) if that can't be read."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF is as hostile as the rest, and a picture without it is a picture
        return 1


def _coloured(image: Image.Image) -> Image.Image:
    """Return an image in sRGB, with `LARGEST` pixels at most on its longer side. Transparency stays."""
    profile = image.info.get("icc_profile")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode.startswith("I"):  # 16 bits of grey
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if mode == "RGBA" or image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert(mode)
    image.thumbnail((int(LARGEST), int(LARGEST)), Image.Resampling.LANCZOS, reducing_gap=2.0)
    image = _in_srgb(image, profile, mode)
    return image if image.mode == mode else image.convert(mode)


def _in_srgb(image: Image.Image, profile: bytes | None, mode: str) -> Image.Image:
    """Return an image with the colours of sRGB. A profile that can't be used is ignored, as browsers do."""
    if not profile:
        return image
    try:
        source, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, srgb, outputMode=mode) or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image


def _encoded(image: Image.Image, side: int) -> bytes:
    """Return an image as WebP, without metadata, with `side` pixels at most on its longer side."""
    copy = image.copy()
    copy.info = {}  # place, camera, colours and comments
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    written = BytesIO()
    copy.save(written, "WEBP", quality=QUALITY, method=4)
    return written.getvalue()


def main(media_type: str) -> None:
    """Render the picture at the standard input. Write a line of JSON, then the files of a picture.

    The line has the reason of a refusal, or the size of the picture and the lengths of its files.
    """
    content = sys.stdin.buffer.read()
    confine()
    files: list[bytes] = []
    try:
        rendered = render(content, media_type or None)
    except PictureRefused as refused:
        head: dict[str, object] = {"reason": refused.reason}
    except MemoryError:
        head = {"reason": "too_costly"}
    else:
        files = [rendered.files[size] for size in SIZES]
        head = {"width": rendered.width, "height": rendered.height, "lengths": [len(file) for file in files]}
    sys.stdout.buffer.write(b"".join((json.dumps(head).encode(), b"\n", *files)))
    sys.stdout.buffer.flush()


def confine() -> None:
    """Take the rights of this process to anything but its memory."""
    Image.preinit()  # further plugins, which it would import later
    Image.MAX_IMAGE_PIXELS = max(MAX_PIXELS.values())
    confinement.confine(MEMORY, CPU_S)


if __name__ == "__main__":
    main(sys.argv[1])
