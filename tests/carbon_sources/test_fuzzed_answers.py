"""Whatever a provider answers, only errors of this package come out of a parser.

`CARBONNAS_FUZZ=100000` sets how many documents each parser gets; the default suits every day.
"""

from __future__ import annotations

import os
import random

import pytest

from carbon_sources.errors import CarbonSourceError
from tests.carbon_sources.fakes.registry import FAKES
from tests.carbon_sources.fuzzing import mutated

DOCUMENTS = int(os.environ.get("CARBONNAS_FUZZ", "300"))

CASES = [
    pytest.param(fake, number, id=f"{fake.name}-{target.name}")
    for fake in FAKES
    for number, target in enumerate(fake().fuzz_targets())
]


@pytest.mark.parametrize(("fake", "number"), CASES)
def test_a_healthy_document_is_read_and_a_wrong_one_ends_in_an_error_of_ours_at_worst(fake: type, number: int) -> None:
    target = fake().fuzz_targets()[number]
    target.parse(target.document)
    rng = random.Random(f"{target.name} {number}")  # noqa: S311 -- repeatable
    refused = 0
    for _ in range(DOCUMENTS):
        document = mutated(target.document, rng)
        try:
            target.parse(document)
        except CarbonSourceError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} for {str(document)[:2000]}") from error
    assert refused > 0, "some of what is wrong is noticed"
