"""The description of the API holds: requests made from it meet no error of the server and no answer that it does not know."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.carbonnas.web.conftest import TOKEN
from tests.carbonnas.web.sketch import World

pytestmark = pytest.mark.slow

FEW = settings(
    max_examples=4,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_described(mode: GenerationMode, app: FastAPI, server: str, world: World) -> None:
    schema = schemathesis.openapi.from_dict(app.openapi()).exclude(path="/api/events")  # which does not end
    asked = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        # Without either nothing can be wrong: whatever text stands in the path is a name.
        if mode is GenerationMode.POSITIVE or operation.query or operation.body:
            hold(operation, mode, server, world.active.search_id)
            asked += 1
    assert asked >= (15 if mode is GenerationMode.POSITIVE else 6)


def hold(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, server: str, search_id: str) -> None:
    """Make requests of an operation, right or wrong ones, and check every answer."""
    # Whether a text is a right configuration no description can tell.
    unchecked: list[CheckFunction] | None = (
        [positive_data_acceptance] if operation.label == "POST /api/searches" else []
    )

    @FEW
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE and "search_id" in case.path_parameters:
            case.path_parameters["search_id"] = search_id
        case.call_and_validate(base_url=server, headers=BEARER, timeout=60, excluded_checks=unchecked)

    ask()
