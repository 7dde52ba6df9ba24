"""What forecasters have to do with the forecasts of a provider."""

from __future__ import annotations

import pytest

from carbonnas.cli.forecasters import needs_issues, passes_on_issues, takes_issues


@pytest.mark.parametrize(
    ("name", "takes", "needs", "passes_on"),
    [
        ("provider", True, True, True),
        ("ensemble", True, False, False),
        ("seasonal", False, False, False),
        ("there_is_none_of_this_name", False, False, False),
    ],
)
def test_the_constructor_tells_what_a_forecaster_does_with_the_forecasts_of_a_provider(
    name: str, *, takes: bool, needs: bool, passes_on: bool
) -> None:
    assert (takes_issues(name), needs_issues(name), passes_on_issues(name)) == (takes, needs, passes_on)
