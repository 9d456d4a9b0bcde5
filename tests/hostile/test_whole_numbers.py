"""A whole number in an address or a query fits a database's column: a larger one is refused by the field's name."""

from judge_server.server.app import create_app
from judge_server.settings.settings import Settings
from tests.served import served, settings_of

LARGEST_IN_A_COLUMN = 2**63 - 1


def _whole_numbers():
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                schemas = parameter["schema"].get("anyOf", [parameter["schema"]])
                for schema in schemas:
                    if schema.get("type") == "integer":
                        yield f"{method} {path} {parameter['name']}", schema


def test_every_whole_number_in_an_address_or_a_query_has_bounds_that_a_column_holds():
    found = dict(_whole_numbers())
    assert len(found) >= 5
    for name, schema in found.items():
        largest = schema.get("maximum", schema.get("exclusiveMaximum", LARGEST_IN_A_COLUMN + 2) - 1)
        assert largest <= LARGEST_IN_A_COLUMN, name
        assert schema.get("minimum", -LARGEST_IN_A_COLUMN - 2) >= -LARGEST_IN_A_COLUMN, name


def test_results_after_a_number_that_no_column_holds_are_refused_by_the_name_of_the_field():
    path = f"/v1/jobs/job_{'0' * 24}/results?after="
    with served(settings_of()) as client:
        assert client.get(f"{path}{LARGEST_IN_A_COLUMN}").status_code == 404
        for number in (2**63, 10**20, 10**400):
            answer = client.get(f"{path}{number}")
            assert (answer.status_code, "after" in answer.json()["detail"]) == (422, True), answer.text
