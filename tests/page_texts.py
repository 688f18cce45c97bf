"""The texts of a page that somebody reads or hears."""

from html.parser import HTMLParser

READ_ATTRIBUTES = {"aria-label", "title", "placeholder", "alt", "data-then"}
NOT_READ = {"script", "style", "svg", "code", "pre", "textarea"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._skipped: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NOT_READ:
            self._skipped.append(tag)
        self.found += [value for name, value in attrs if name in READ_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        if self._skipped and self._skipped[-1] == tag:
            self._skipped.pop()

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.found.append(data)


def read_texts(html: str) -> list[str]:
    """Return text nodes and the attributes that are read, with single spaces, without empty ones and code."""
    reader = _Reader()
    reader.feed(html)
    texts = (" ".join(text.split()) for text in reader.found)
    return [text for text in texts if text]
