"""Tokens and passwords: read from the environment, never shown."""

from __future__ import annotations

from collections.abc import Mapping

from carbon_sources.errors import SourceAccessError


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
            SourceAccessError: If the variable is not set, empty, or holds what can't be sent in a header; its value is not shown.
        """
        text = self._environment.get(variable, "").strip()
        if not text:
            raise SourceAccessError(f"no token: set the environment variable {variable}")
        if not (text.isascii() and text.isprintable()):
            raise SourceAccessError(
                f"the environment variable {variable} holds line breaks or other unusual characters"
            )
        return Secret(text)
