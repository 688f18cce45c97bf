"""`./souk dlq list|show|replay|discard`: what could not be used, why, sending it again, setting it aside."""

from collections import Counter
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from common.errors import Rejected, UserError
from common.settings import Settings
from local.table import console
from producers.inbox.letterbox import Letter, Letterbox, dead_letter_topic, dead_letter_topics
from schemas.codec import Decoder
from schemas.registry import Registry

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

LONGEST_REASON = 50
"""Characters of a reason in the list; `show` has all of it."""

LONGEST_RAW = 200
"""Bytes shown of a value that is no event."""

MOST_PLACES = 10
"""Offsets that are named in one line."""

Topic = Annotated[str, typer.Argument(help="An event or a table, as `./souk dlq list` names it.")]
Offsets = Annotated[list[int] | None, typer.Option("--offset", help="Only this letter; may be repeated.")]


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show which topics have dead letters that were not dealt with, and why they lie there."""
    with Letterbox(Settings.load().kafka) as letterbox:
        found = {topic: letterbox.open_letters(topic) for topic in dead_letter_topics()}
    boxes = {topic.removesuffix("_dlq"): letters for topic, letters in found.items() if letters}
    if as_json:
        print(orjson.dumps({name: [_described(one) for one in box] for name, box in boxes.items()}).decode())
        return
    if not boxes:
        print("no dead letters")
        return
    table = Table(box=None, pad_edge=False)
    for column in ("of", "letters", "oldest", "newest", "stage", "most frequent reason"):
        table.add_column(column, justify="right" if column == "letters" else "left", no_wrap=True)
    for name, box in boxes.items():
        ways = Counter((letter.stage, letter.reason[:LONGEST_REASON]) for letter in box)
        stage, reason = ways.most_common(1)[0][0]
        oldest, newest = (f"{letter.written_at:%Y-%m-%d %H:%M:%S}" for letter in (box[0], box[-1]))
        table.add_row(name, f"{len(box):,}", oldest, newest, stage, reason)
    console().print(table)


@app.command()
def show(
    topic: Topic,
    offset: Offsets = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many letters, the oldest first.")] = 20,
) -> None:
    """Print dead letters as JSON, one a line: where, why, headers, and the event itself."""
    settings = Settings.load()
    with Letterbox(settings.kafka) as letterbox, Registry(settings.registry) as registry:
        letters = _chosen(letterbox, dead_letter_topic(topic), offset)
        decoder = Decoder(registry.schema)
        for letter in letters[:limit]:
            described = {**_described(letter), "headers": letter.headers, **_content(letter, decoder)}
            print(orjson.dumps(described, option=orjson.OPT_UTC_Z).decode())
    if len(letters) > limit:
        typer.echo(f"{len(letters) - limit:,} more: --limit shows them", err=True)


@app.command()
def replay(topic: Topic, offset: Offsets = None) -> None:
    """Send dead letters again, to the topic that they came from: all that are open, or those of --offset.

    Who rejected one tries once more, and nobody else. What was sent counts as dealt with then; what is
    rejected again comes back as a new letter. One that was cut short is passed over, and stays open.
    """
    name = dead_letter_topic(topic)
    with Letterbox(Settings.load().kafka) as letterbox:
        letters = _chosen(letterbox, name, offset)
        sent = letterbox.send_again(name, letters)
    event = name.removesuffix("_dlq")
    print(f"{sent:,} sent again to {event}")
    if cut_short := [letter for letter in letters if letter.is_cut_short]:
        print(
            f"{len(cut_short):,} cut short and passed over: {_places(cut_short)}. `./souk dlq show {event}` "
            "says where the whole message is (came_from); do by hand what it was to do, then "
            f"`./souk dlq discard {event} --offset {cut_short[0].offset}`"
        )


@app.command()
def discard(
    topic: Topic,
    offset: Offsets = None,
    everything: Annotated[bool, typer.Option("--all", help="All letters that are open.")] = False,
) -> None:
    """Set dead letters aside without sending them again: those of --offset, or --all that are open.

    They count as dealt with and are listed no more; `show --offset` shows them while Kafka keeps them.
    """
    if bool(offset) == everything:
        raise UserError("say which letters: --offset N, which may be repeated, or --all that are open")
    name = dead_letter_topic(topic)
    with Letterbox(Settings.load().kafka) as letterbox:
        letters = _chosen(letterbox, name, offset)
        letterbox.set_aside(name, letters)
    print(f"{len(letters):,} of {name} set aside")


def _places(letters: list[Letter]) -> str:
    shown = ", ".join(str(letter.offset) for letter in letters[:MOST_PLACES])
    return shown if len(letters) <= MOST_PLACES else f"{shown}, …"


def _chosen(letterbox: Letterbox, topic: str, offsets: list[int] | None) -> list[Letter]:
    """The open letters, or those at these offsets, dealt with or not."""
    if not offsets:
        return letterbox.open_letters(topic)
    letters = {letter.offset: letter for letter in letterbox.open_letters(topic, everything=True)}
    if missing := [offset for offset in offsets if offset not in letters]:
        raise UserError(
            f"{topic} holds no letter {missing[0]}: `./souk dlq show {topic}` shows their offsets"
        )
    return [letters[offset] for offset in sorted(set(offsets))]


def _described(letter: Letter) -> dict[str, Any]:
    return {
        "offset": letter.offset,
        "written_at": letter.written_at,
        "key": letter.key,
        "stage": letter.stage,
        "reason": letter.reason,
    }


def _content(letter: Letter, decoder: Decoder) -> dict[str, Any]:
    """The event, or what there is instead of one."""
    try:
        return {"event": decoder.decode(letter.value)}
    except Rejected:
        value = letter.value or b""
        return {"raw": value[:LONGEST_RAW].decode(errors="backslashreplace"), "bytes": len(value)}
