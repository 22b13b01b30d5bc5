"""What an operation may have done where no usable reply came, by the contract."""

from nous_billing.mock.openapi import load_document, resolve

_DOCUMENT = load_document()
_METHODS = {
    operation["operationId"]: (method, operation)
    for methods in _DOCUMENT["paths"].values()
    for method, operation in methods.items()
}
# Those that may change something, and among them those that move money: they ask for an idempotency key.
CHANGING = {name for name, (method, _) in _METHODS.items() if method != "get"}
KEYED = {
    name
    for name, (_, operation) in _METHODS.items()
    for parameter in operation.get("parameters", [])
    if resolve(_DOCUMENT, parameter)["name"] == "Idempotency-Key"
}
