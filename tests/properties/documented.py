"""What the contract documents: its operations, and the pairs of an operation and a status."""

from nous_billing.mock.openapi import load_document

DOCUMENT = load_document()
# Path, method and description of each operation, by its name.
PLACES = {
    operation["operationId"]: (path, method.upper(), operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
PAIRS = [(name, int(status)) for name, (_, _, operation) in PLACES.items() for status in operation["responses"]]
