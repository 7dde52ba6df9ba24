"""Tokens and passwords: read from the environment, never shown."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from carbon_sources.errors import SourceAccessError

_SHORTEST = 4
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(/)")


class Secret:
    """A text that no log, message or record may hold; only `reveal` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, to be sent to the provider that it belongs to."""
        return self._text

    def __repr__(self) -> str:
        return "***"


_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


class Secrets:
    """Secrets by the name of the environment variable that holds them; a configuration names the variable only.

    Args:
        environment: Variables and their values, such as `os.environ`.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def get(self, variable: str) -> Secret:
        """Return the secret.

        Raises:
            SourceAccessError: If the variable is not set, empty, or holds what can't be sent in a header; its value is not shown. Also
                if `variable` is no name in capitals: then it may be the token itself, and is not shown either.
        """
        if not _VARIABLE.fullmatch(variable):
            raise SourceAccessError(
                "a token is read from an environment variable whose name, such as MY_TOKEN, stands in the configuration; what stands "
                "there is no such name. If it is the token itself, take it out of the file"
            )
        text = self._environment.get(variable, "").strip()
        if not text:
            raise SourceAccessError(f"no token: set the environment variable {variable}")
        if not (text.isascii() and text.isprintable()):
            raise SourceAccessError(
                f"the environment variable {variable} holds line breaks or other unusual characters"
            )
        return Secret(text)


def printable(text: str) -> str:
    """Return a text of somebody else without what would control a terminal."""
    return "".join(c for c in text if c.isprintable())


def without_secrets(text: str, sent: Iterable[str]) -> str:
    """Return what a server wrote, as one line in which nothing stands that was sent to it.

    Servers repeat what they were sent as it is, as part of an address, or escaped as JSON; the line has it unescaped.

    Args:
        text: What the server wrote.
        sent: Values of parameters and headers; of a header also what stands behind the name of a scheme. What has less than four
            characters stays.
    """
    text = unquote(_JSON_ESCAPE.sub(lambda found: found[2] or chr(int(found[1], 16)), text))
    text = printable(" ".join(text.split()))
    hidden = {part for value in sent for part in _parts(value) if len(part) >= _SHORTEST}
    for part in sorted(hidden, key=len, reverse=True):
        text = text.replace(part, "***")
    return text


def _parts(value: str) -> Iterator[str]:
    scheme, _, rest = value.rpartition(" ")
    yield from (value, rest)
    if scheme == "Basic":
        yield from base64.b64decode(rest).decode("utf-8", "replace").split(":", 1)
