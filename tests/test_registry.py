"""The registry has what the contract has."""

from nous_billing.mock.openapi import resolve

from .documented import DOCUMENT, IN_CONTRACT
from .registry import ENTRIES, RAISES, WAYS


def missing(names, table, what):
    return f"tests/registry.py: add to {table} {what} of {', '.join(sorted(names))}."


def test_each_operation_of_the_contract_has_an_entry_and_no_other():
    lacking = IN_CONTRACT.keys() - ENTRIES.keys()
    assert not lacking, missing(lacking, "ENTRIES", "the arguments of the method, and the mock's own refusals,")
    assert not (gone := ENTRIES.keys() - IN_CONTRACT.keys()), f"The contract has no {gone} any more."


def test_each_error_code_of_the_contract_has_a_class_and_no_other():
    schemas = [resolve(DOCUMENT, schema) for schema in DOCUMENT["components"]["schemas"].values()]
    constants = [schema.get("properties", {}).get("error", {}).get("const") for schema in schemas]
    codes = {code for code in constants if code}
    assert not (lacking := codes - RAISES.keys()), missing(lacking, "RAISES", "the class")
    assert not (gone := RAISES.keys() - codes), f"The contract has no {gone} any more."


def test_a_gate_of_the_mock_has_a_way_to_be_met():
    assert {gate for entry in ENTRIES.values() for gate in entry.gates} <= WAYS.keys() <= RAISES.keys()
