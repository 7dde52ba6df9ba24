"""Pages as a screen reader or a strict browser takes them: what stands where, and what breaks the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "rect"}


@dataclass
class Seen:
    """What a page holds."""

    headings: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    landmarks: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    labelled: set[str] = field(default_factory=set)
    fields: list[str] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All that is read out."""
        return " ".join(" ".join(self.words).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()
        self._open: list[str] = []
        self._unproven: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        seen = self.seen
        if tag not in _VOID:
            self._open.append(tag)
        if tag in {"h1", "h2", "h3", "h4"}:
            seen.headings.append(int(tag[1]))
        if tag in {"main", "nav", "header", "footer"}:
            seen.landmarks.append(tag)
        seen.ids += [given["id"]] if "id" in given else []
        seen.live += [given.get("id", "")] if "data-live" in given else []
        seen.times += [given["datetime"]] if tag == "time" else []
        seen.addresses += [given[name] for name in ("src", "srcset", "href", "action") if name in given]
        seen.labelled |= {given["for"]} if tag == "label" else set()
        if tag in {"input", "select", "textarea"} and given.get("type") != "hidden":
            seen.fields.append(given.get("id", ""))
        if tag == "form" and given.get("method") == "post" and given["action"] != "/login":
            self._unproven = given["action"]
        if given.get("name") == "csrf" and given.get("value"):
            self._unproven = None
        self._judge(tag, given)

    def _judge(self, tag: str, given: dict[str, str]) -> None:
        faults = self.seen.faults
        faults += [f"{tag} has {name}" for name in given if name == "style" or name.startswith("on")]
        if tag == "script" and "src" not in given:
            faults.append("a script inside the page")
        if tag == "img" and not given.get("alt"):
            faults.append("a picture without words")
        if tag == "th" and "scope" not in given:
            faults.append("a table header without scope")
        if tag == "progress" and not given.get("aria-label"):
            faults.append("a progress bar without a name")

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if tag == "form" and self._unproven is not None:
            self.seen.faults.append(f"the form for {self._unproven} does not say whose it is")
        if not self._open or self._open.pop() != tag:
            self.seen.faults.append(f"{tag} closes what was not opened")

    def handle_data(self, data: str) -> None:
        self.seen.words.append(data)

    def finished(self) -> Seen:
        self.close()
        if self._open:
            self.seen.faults.append(f"never closed: {self._open}")
        return self.seen


def read(page: str) -> Seen:
    """Return what a page holds."""
    reader = _Reader()
    reader.feed(page)
    return reader.finished()
