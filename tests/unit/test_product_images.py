"""What becomes of pictures: upright, without metadata, in four sizes; and of hostile files: nothing."""

import struct
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from producers.services.products.images import render
from producers.services.products.picture_rules import FORMATS, SIZES, PictureRefused
from tests.pictures import BLUE, HTML, RED, SVG, chunk, drawn, jpeg_of, opened, png_of, written

KINDS = {name: media_type for media_type, name in FORMATS.items()}


def stored(content, media_type=None, size="2000"):
    """Return the stored picture of a file in a size."""
    return opened(render(content, media_type).files[size])


def reason(content, media_type=None):
    """Return why a file is refused."""
    with pytest.raises(PictureRefused) as refused:
        render(content, media_type)
    return refused.value.reason


def is_near(colour, other, distance=30):
    return all(abs(a - b) <= distance for a, b in zip(colour, other, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_picture_becomes_webp_in_four_sizes(kind):
    rendered = render(written(drawn((2400, 1600)), kind), KINDS[kind])

    assert (rendered.width, rendered.height) == (2000, 1333)
    assert {size: opened(file).size for size, file in rendered.files.items()} == {
        "160": (160, 107),
        "480": (480, 320),
        "1200": (1200, 800),
        "2000": (2000, 1333),
    }
    assert {opened(file).format for file in rendered.files.values()} == {"WEBP"}
    picture = opened(rendered.files["480"])
    assert is_near(picture.getpixel((20, 20)), RED)
    assert is_near(picture.getpixel((400, 300)), BLUE)


def test_a_small_picture_is_not_enlarged():
    rendered = render(written(drawn((300, 200))), "image/png")

    assert [opened(rendered.files[size]).size for size in SIZES] == [(160, 107), *[(300, 200)] * 3]


def test_a_very_long_picture_keeps_a_pixel_of_its_other_side():
    assert stored(written(drawn((8_000, 64))), size="160").size == (160, 1)


def test_the_same_picture_has_the_same_name_and_another_one_another():
    first, again, other = (
        render(written(picture), None) for picture in (drawn(), drawn(), drawn((301, 200)))
    )

    assert first.sha256 == again.sha256 != other.sha256
    assert len(first.sha256) == 64


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, "nw"), (2, "ne"), (3, "se"), (4, "sw"), (5, "nw"), (6, "ne"), (7, "se"), (8, "sw")],
)
def test_a_picture_is_turned_as_the_camera_was_held(orientation, corner):
    exif = Image.Exif()
    exif[0x0112] = orientation

    picture = stored(written(drawn((300, 200)), "JPEG", exif=exif))

    assert picture.size == ((300, 200) if orientation <= 4 else (200, 300))
    x, y = (picture.width - 10 if corner[1] == "e" else 10), (picture.height - 10 if corner[0] == "s" else 10)
    assert is_near(picture.getpixel((x, y)), RED)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_metadata_is_removed(kind):
    exif = Image.Exif()
    exif[0x010F] = "Camera of Ana"
    exif.get_ifd(0x8825)[2] = (23.0, 33.0, 1.0)  # the latitude
    more = {"comment": "<script>alert(1)</script>"} if kind == "JPEG" else {}
    sent = written(drawn(), kind, exif=exif, **more)
    assert b"Ana" in sent

    rendered = render(sent, KINDS[kind])

    for file in rendered.files.values():
        assert not opened(file).getexif()
        assert not any(word in file for word in (b"Ana", b"script", b"EXIF", b"ICCP", b"XMP "))


def test_what_follows_a_picture_is_dropped():
    sent = written(drawn(), "JPEG") + b"PK\x03\x04" + HTML

    assert not any(
        HTML in file or b"PK\x03\x04" in file for file in render(sent, "image/jpeg").files.values()
    )


@pytest.mark.parametrize("mode", ["CMYK", "L", "YCbCr"])
def test_a_jpeg_of_another_colour_space_is_shown_in_its_colours(mode):
    picture = stored(written(drawn(mode=mode), "JPEG", quality=95))

    assert picture.mode == "RGB"
    if mode != "L":
        assert is_near(picture.getpixel((20, 20)), RED)


@pytest.mark.parametrize("mode", ["1", "P", "I;16"])
def test_a_png_of_few_or_many_colours_is_shown(mode):
    image = Image.new("I;16", (100, 80), 40_000) if mode == "I;16" else drawn((100, 80), mode)

    picture = stored(written(image))

    assert (picture.mode, picture.size) == ("RGB", (100, 80))
    if mode == "I;16":
        assert is_near(picture.getpixel((5, 5)), (156, 156, 156), 3)


def transparent(kind):
    """Return pictures whose left half is transparent."""
    image = drawn((200, 100)).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 100, 100))
    if kind == "a palette":
        return written(image.quantize(16)), "image/png"
    if kind == "a gif":
        return written(image, "GIF"), "image/gif"
    if kind == "a colour":
        return written(drawn((200, 100)).point(lambda v: v), "PNG", transparency=RED), "image/png"
    if kind == "grey":
        return written(image.convert("LA")), "image/png"
    return written(image), "image/png"


@pytest.mark.parametrize("kind", ["an alpha channel", "a palette", "a gif", "grey", "a colour"])
def test_transparency_stays(kind):
    picture = stored(*transparent(kind))

    assert picture.mode == "RGBA"
    assert picture.getpixel((10, 10))[3] == 0
    assert picture.getpixel((190, 90))[3] == 255


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_image_is_shown(kind):
    frames = [Image.new("RGB", (100, 80), colour) for colour in (RED, BLUE, (0, 200, 0))]
    sent = written(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)

    picture = stored(sent, KINDS[kind])

    assert not getattr(picture, "is_animated", False)
    assert is_near(picture.getpixel((50, 40)), RED)


def test_a_picture_of_several_from_a_phone_shows_the_first():
    sent = written(drawn(), "MPO", save_all=True, append_images=[Image.new("RGB", (300, 200))])

    assert is_near(stored(sent, "image/jpeg").getpixel((20, 20)), RED)


def test_a_profile_that_can_not_be_read_is_ignored():
    picture = stored(written(drawn(), "JPEG", icc_profile=b"\xff" * 400))

    assert is_near(picture.getpixel((20, 20)), RED)


@pytest.mark.parametrize("content", [SVG, HTML, b"%PDF-1.7\n", b"", b"\x00" * 100, written(drawn(), "BMP")])
@pytest.mark.parametrize("media_type", FORMATS)
def test_what_is_no_picture_is_refused(content, media_type):
    assert reason(content, media_type) == "not_a_picture"


@pytest.mark.parametrize("kind", KINDS)
def test_a_lie_about_the_type_is_refused(kind):
    for media_type in FORMATS:
        if media_type != KINDS[kind]:
            assert reason(written(drawn(), kind), media_type) == "wrong_type"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_file_without_its_end_is_refused(kind, share):
    noise = Image.effect_noise((300, 200), 80).convert("RGB")
    sent = written(noise, kind)

    assert reason(sent[: int(len(sent) * share)], KINDS[kind]) == "damaged"


@pytest.mark.parametrize(
    "sent",
    [
        png_of(10_000, 10_000, rows=1),
        png_of(100_000, 100_000, rows=1),
        png_of(2**31 - 1, 2**31 - 1, rows=0),
        jpeg_of(10_000, 10_000),
        jpeg_of(65_500, 65_500),
        b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + written(drawn(), "GIF")[10:],
    ],
    ids=["100 megapixels", "10 gigapixels", "the largest png", "100 megapixels, jpeg", "largest jpeg", "gif"],
)
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(sent):
    assert len(sent) < 300_000
    assert reason(sent) == "too_many_pixels"


def test_a_frame_that_is_larger_than_its_gif_is_refused():
    sent = bytearray(written(drawn(), "GIF"))
    place = sent.index(b",", 13 + 3 * 2 ** ((sent[10] & 7) + 1))
    sent[place + 5 : place + 9] = struct.pack("<HH", 65_535, 65_535)

    assert reason(bytes(sent)) in ("too_many_pixels", "damaged")


def test_a_bomb_in_the_text_of_a_picture_is_refused():
    bomb = chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(200_000_000), 9))

    assert reason(png_of(100, 100, bomb)) == "damaged"


def test_a_bomb_behind_the_pixels_of_a_picture_is_not_decoded():
    rows = zlib.compress(bytes(101 * 100) + bytes(200_000_000), 9)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 8, 0, 0, 0, 0))
    sent = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")

    assert stored(sent).size == (100, 100)


@pytest.mark.parametrize("size", [(63, 500), (500, 63), (1, 1)])
def test_a_picture_that_is_too_small_is_refused(size):
    assert reason(written(Image.new("RGB", size))) == "too_small"


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(content):
    for head in (b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x00\x01\x00\x00WEBPVP8 "):
        assert reason(head + content) in ("not_a_picture", "damaged", "too_small", "too_many_pixels")


GOOD = [written(drawn((80, 70)), kind) for kind in KINDS]


@settings(max_examples=200)
@given(st.sampled_from(GOOD), st.integers(16, 400), st.binary(min_size=1, max_size=8))
@example(GOOD[0], 40, b"\xff\xff")
def test_a_picture_with_any_change_is_rendered_or_refused(good, place, change):
    place %= len(good)
    try:
        rendered = render(good[:place] + change + good[place + len(change) :], None)
    except PictureRefused:
        return
    assert all(opened(file).format == "WEBP" for file in rendered.files.values())
