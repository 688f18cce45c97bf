"""`./souk dlq list | show | replay | discard`: dead letters, their reasons, and what to do with them."""

from collections.abc import Iterator
from typing import Annotated, Any

import orjson
import typer
from rich.table import Column

from common.errors import Rejected, UserError
from common.settings import Settings
from local.table import print_json, print_table
from producers.kit.inbox.dead_letter_queue import (
    DeadLetter,
    DeadLetterQueue,
    dead_letter_topic,
    dead_letter_topics,
    summaries,
)
from schemas.codec import Decoder
from schemas.registry import SchemaRegistry

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

MAX_REASON_CHARS = 50
"""Characters of a reason in the list; `show` prints the whole reason."""

MAX_RAW_BYTES = 200
"""Bytes shown of a value that is not an event."""

MAX_OFFSETS = 10
"""Number of offsets that are listed in one line."""

Topic = Annotated[str, typer.Argument(help="An event or a table, as `./souk dlq list` names it.")]
Offsets = Annotated[
    list[int] | None, typer.Option("--offset", help="Only the dead letter at this offset; may be repeated.")
]


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the topics with unresolved dead letters, and the most frequent reason of each."""
    with DeadLetterQueue(Settings.load().kafka) as queue:
        if as_json:
            described = {
                topic.removesuffix("_dlq"): [_description(letter) for letter in queue.unresolved(topic)]
                for topic in dead_letter_topics()
            }
            print_json({name: letters for name, letters in described.items() if letters})
            return
        found = summaries(queue)
    if not found:
        print("no dead letters")
        return
    titles = ("event or table", "letters", "oldest", "newest", "stage", "most frequent reason")
    print_table(
        [Column(title, justify="right" if title == "letters" else "left", no_wrap=True) for title in titles],
        (
            (
                each.name,
                f"{each.letters:,}",
                f"{each.oldest:%Y-%m-%d %H:%M:%S}",
                f"{each.newest:%Y-%m-%d %H:%M:%S}",
                each.stage,
                each.reason[:MAX_REASON_CHARS],
            )
            for each in found
        ),
    )


@app.command()
def show(
    topic: Topic,
    offset: Offsets = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of dead letters, the oldest first.")] = 20,
) -> None:
    """Print dead letters as JSON, one a line: position, reason, headers and the event."""
    settings = Settings.load()
    with DeadLetterQueue(settings.kafka) as queue, SchemaRegistry(settings.registry) as registry:
        decoder = Decoder(registry.schema)
        more = 0
        for number, letter in enumerate(_select(queue, dead_letter_topic(topic), offset)):
            if number >= limit:
                more += 1
                continue
            described = {**_description(letter), "headers": letter.headers, **_content(letter, decoder)}
            print_json(described, orjson.OPT_UTC_Z)
    if more:
        typer.echo(f"{more:,} more: --limit shows them", err=True)


@app.command()
def replay(topic: Topic, offset: Offsets = None) -> None:
    """Send dead letters again to their original topic: all unresolved ones, or those of --offset.

    Only the consumer that rejected a message handles it again. Letters that were sent count as resolved. A
    message that is rejected again becomes a new dead letter. Truncated ones are not sent and stay unresolved.
    """
    name = dead_letter_topic(topic)
    with DeadLetterQueue(Settings.load().kafka) as queue:
        chosen = [(letter.offset, letter.is_truncated) for letter in _select(queue, name, offset)]
        sent = queue.replay(name, [each for each, _ in chosen])
    event = name.removesuffix("_dlq")
    print(f"{sent:,} sent again to {event}")
    if truncated := [each for each, is_truncated in chosen if is_truncated]:
        print(
            f"{len(truncated):,} truncated and not sent: {_offsets(truncated)}. `./souk dlq show {event}` "
            "prints where the whole message is (came_from). Do its work by hand, then run "
            f"`./souk dlq discard {event} --offset {truncated[0]}`"
        )


@app.command()
def discard(
    topic: Topic,
    offset: Offsets = None,
    everything: Annotated[bool, typer.Option("--all", help="All unresolved dead letters.")] = False,
) -> None:
    """Mark dead letters as resolved without sending them: those of --offset, or --all unresolved ones.

    `list` no longer counts them. `show --offset` prints them until Kafka deletes them.
    """
    if bool(offset) == everything:
        raise UserError(
            "choose dead letters with --offset N, which may be repeated, or all unresolved ones with --all"
        )
    name = dead_letter_topic(topic)
    with DeadLetterQueue(Settings.load().kafka) as queue:
        offsets = [letter.offset for letter in _select(queue, name, offset)]
        queue.discard(name, offsets)
    print(f"{len(offsets):,} of {name} discarded")


def _offsets(offsets: list[int]) -> str:
    shown = ", ".join(map(str, offsets[:MAX_OFFSETS]))
    return shown if len(offsets) <= MAX_OFFSETS else f"{shown}, …"


def _select(queue: DeadLetterQueue, topic: str, offsets: list[int] | None) -> Iterator[DeadLetter]:
    """Yield the unresolved dead letters, or those at these offsets, resolved or not."""
    if not offsets:
        yield from queue.unresolved(topic)
        return
    chosen, found = frozenset(offsets), set()
    for letter in queue.unresolved(topic, everything=True):
        if letter.offset in chosen:
            found.add(letter.offset)
            yield letter
    if missing := [offset for offset in offsets if offset not in found]:
        raise UserError(
            f"{topic} holds no dead letter {missing[0]}: `./souk dlq show {topic}` prints the offsets"
        )


def _description(letter: DeadLetter) -> dict[str, Any]:
    return {
        "offset": letter.offset,
        "written_at": letter.written_at,
        "key": letter.key,
        "stage": letter.stage,
        "reason": letter.reason,
    }


def _content(letter: DeadLetter, decoder: Decoder) -> dict[str, Any]:
    """Return the event, or the start of the raw value if it can't be decoded."""
    try:
        return {"event": decoder.decode(letter.value)}
    except Rejected:
        value = letter.value or b""
        return {"raw": value[:MAX_RAW_BYTES].decode(errors="backslashreplace"), "bytes": len(value)}
