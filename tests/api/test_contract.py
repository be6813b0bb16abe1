"""The API held against its own description, with requests that are made up of it: nothing ends in an error of the server's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from tests.api.surroundings import Around, outer
from tests.desk.fixtures import AT
from tests.desk.incidents import incident
from unbidden.desk import Desk

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
EXAMPLES = 24
# The stream does not end; it has tests of its own.
APART = "/stream"


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The API's description, with its application behind it."""
    with Desk.open(f"sqlite:///{tmp_path_factory.mktemp('desk') / 'desk.db'}") as desk:
        desk.record([], [incident("inc-0a1b2c3d4e5f", user="ana@example.com"), incident("b", "approved high", user="bob")], AT)
        yield schemathesis.openapi.from_asgi("/v1/openapi.json", outer(Around(desk)), headers={"Authorization": "Bearer admin"})


def test_nothing_ends_in_an_error_of_the_server(description: Any) -> None:
    asked = set()
    for found in description.get_all_operations():
        operation = found.ok()
        if operation.path != APART:
            asked.add((operation.method, operation.path))
            _hold(operation)
    assert len(asked) == len([1 for path, operations in description.raw_schema["paths"].items() if path != APART for _ in operations])


def _hold(operation: Any) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(operation.as_strategy(GenerationMode.POSITIVE), operation.as_strategy(GenerationMode.NEGATIVE)))
    def held(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": "Bearer admin"}, checks=CHECKS)

    held()


def test_the_description_has_examples_and_problems(description: Any) -> None:
    told = description.raw_schema
    assert told["servers"] == [{"url": "/v1"}]
    body = told["paths"]["/incidents/{incident_id}/handling"]["patch"]["requestBody"]["content"]["application/json"]
    assert body["examples"]["close"]["value"]["verdict"] == "benign"
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            said = {status: answer for status, answer in operation["responses"].items() if status.startswith(("4", "5"))}
            assert said, (method, path)
            assert all(set(answer["content"]) == {"application/problem+json"} for answer in said.values()), (method, path)
            assert operation["summary"]
