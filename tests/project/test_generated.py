"""What our templates make of a contract: it does what the generator's own output does, and loads less."""

import asyncio
import importlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import httpx
import pytest
import yaml

from scripts.document import load
from scripts.generate import CLIENT, CONTRACT, files_of, generate_client

Load = Callable[[str], ModuleType]

METHODS = {"get", "put", "post", "delete", "patch"}
ID = UUID(int=7)
INVOICE = {"id": str(ID), "day": "2026-02-03", "paid": None}
PAGE = {"kind": "page", "invoices": [INVOICE], "next": None}
OWN = load(CONTRACT)
WIDE = yaml.safe_load((Path(__file__).parent / "wide.yaml").read_text(encoding="utf-8"))
CONTRACT_AND_MORE = {
    **OWN,
    "paths": {**OWN["paths"], **WIDE["paths"]},
    "components": {**OWN["components"], "schemas": {**OWN["components"]["schemas"], **WIDE["schemas"]}},
}
EXAMPLES = {
    name: schema["example"]
    for name, schema in CONTRACT_AND_MORE["components"]["schemas"].items()
    if "example" in schema and {"properties", "additionalProperties"} & schema.keys()
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the packages ``ours`` and ``stock``."""
    folder = tmp_path_factory.mktemp("generated")
    contract = folder / "wide.yaml"
    text = yaml.safe_dump(CONTRACT_AND_MORE, sort_keys=False)
    # A status may stand there without quotation marks.
    contract.write_text(re.sub(r"'([0-9]{3})':", r"\1:", text), encoding="utf-8")
    generate_client(folder / "ours", contract)
    generate_client(folder / "stock", contract, templates=None)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def loader(package: str) -> Load:
    return lambda module: importlib.import_module(f"{package}{module}")


OURS, STOCK = loader("ours"), loader("stock")


def plain(value: Any) -> Any:
    """What can be compared across the packages."""
    if hasattr(value, "to_dict"):
        return type(value).__name__, plain(value.to_dict())
    if hasattr(value, "to_tuple"):
        return plain(value.to_tuple())
    if isinstance(value, io.BytesIO):
        return value.getvalue()
    if type(value).__name__ == "Unset":
        return "UNSET"
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def outcome(call: Callable[[], object]) -> object:
    try:
        return plain(call())
    except Exception as error:  # noqa: BLE001 - whatever it is, both are to raise it.
        return type(error).__name__


def spoilt(example: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield example
    yield {**example, "unknown": [1]}
    for key in example:
        yield {name: value for name, value in example.items() if name != key}
        wrong: tuple[object, ...] = (None, 5, "text", [], {}, [None])
        yield from ({**example, key: value} for value in wrong)


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("name", EXAMPLES)
def test_models_read_and_write_what_the_tools_own_do(name: str) -> None:
    def read(load: Load) -> list[object]:
        model = getattr(load(".models"), name)
        return [outcome(partial(model.from_dict, payload)) for payload in spoilt(EXAMPLES[name])]

    assert read(OURS) == read(STOCK)


def made(model: str, payload: dict[str, Any]) -> Callable[[Load], object]:
    return lambda load: getattr(load(".models"), model).from_dict(payload)


def a_file(load: Load) -> object:
    return load(".types").File(io.BytesIO(b"%PDF"), "a.pdf", "application/pdf")


def an_upload(load: Load) -> object:
    models = load(".models")
    upload = models.Upload(
        file=a_file(load), note="n", day=date(2026, 2, 3), invoice=models.Empty(kind="empty"), marks=["a", "b"]
    )
    upload["more"] = "kept"
    return upload


LIST = ("invoices.list_invoices", {"invoice_id": ID, "kinds": ["paid"], "x_mode": "live"})
CHANGE = "invoices.change_invoice"
CALLS: list[tuple[str, dict[str, Any], int, object]] = [
    (*LIST, 200, PAGE),
    (*LIST, 200, {"kind": "empty"}),
    (*LIST, 200, None),
    (*LIST, 200, {"kind": "none"}),
    (*LIST, 201, [INVOICE]),
    (*LIST, 202, "2026-02-04T05:06:07Z"),
    (*LIST, 404, {"kind": "empty"}),
    (*LIST, 500, "text"),
    (
        LIST[0],
        {
            **LIST[1],
            "order": "oldest",
            "since": date(2026, 2, 3),
            "until": datetime(2026, 2, 3, tzinfo=UTC),
            "class_": 1,
            "filter_": made("Filter", {"text": "t"}),
            "x_trace": "1",
            "visit": "v",
        },
        200,
        PAGE,
    ),
    ("invoices.delete_invoice", {"invoice_id": ID}, 204, None),
    ("invoices.upload_invoice", {"invoice_id": ID, "body": an_upload}, 200, "a file"),
    (CHANGE, {"invoice_id": ID, "body": made("Invoice", INVOICE)}, 200, {"kept": True, "eur": {"a": 1.5}}),
    (CHANGE, {"invoice_id": ID, "body": made("Filter", {})}, 200, {"kept": True, "eur": 5}),
    (CHANGE, {"invoice_id": ID, "body": a_file}, 500, None),
    (CHANGE, {"invoice_id": ID}, 200, {}),
    (
        "invoices.send_invoices",
        {"invoice_id": ID, "body": lambda load: [made("Invoice", INVOICE)(load)]},
        200,
        True,
    ),
    ("default.no_tag", {"body": "text"}, 200, {"any": 1}),
    ("default.no_tag", {"body": made("Filter", {})}, 200, [1]),
    ("default.no_tag", {}, 418, None),
    *(
        ("billing.get_charge_status", {"charge_id": "a/b?"}, status, EXAMPLES[name])
        for status, name in [(200, "ChargeSettled"), (200, "ChargeFailed"), (401, "SessionRevoked"), (500, "Bounds")]
    ),
    *(
        ("billing.post_charge", {"body": made("ChargeRequest", {"amountUsd": 5}), "idempotency_key": "k"}, status, body)
        for status, body in [
            (202, EXAMPLES["ChargeAccepted"]),
            (403, EXAMPLES["ConsentRequired"]),
            (403, {}),
            (403, []),
            (503, EXAMPLES["StripeUnavailable"]),
            (418, None),
        ]
    ),
]


def exchanged(
    load: Load, endpoint: str, arguments: dict[str, Any], status: int, body: object, strict: bool
) -> list[object]:
    """What the functions of an endpoint that give a response send, and what they return."""
    module = load(f".api.{endpoint}")
    sent: list[object] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append((request.method, str(request.url), sorted(request.headers.items()), request.read()))
        return httpx.Response(status, content=json.dumps(body))

    client = load("").AuthenticatedClient(
        base_url="http://127.0.0.1",
        token="t",
        raise_on_unexpected_status=strict,
        httpx_args={"transport": httpx.MockTransport(answer)},
    )

    def given() -> dict[str, Any]:
        return {name: value(load) if callable(value) else value for name, value in arguments.items()}

    return [
        hasattr(module, "sync"),
        outcome(lambda: module._get_kwargs(**given())),
        outcome(lambda: parts(module.sync_detailed(client=client, **given()))),
        outcome(lambda: parts(asyncio.run(module.asyncio_detailed(client=client, **given())))),
        sent,
    ]


def parts(response: Any) -> list[object]:
    return [response.status_code, response.content, dict(response.headers), response.parsed]


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("endpoint", "arguments", "status", "body"), CALLS)
def test_endpoints_send_and_parse_what_the_tools_own_do(
    endpoint: str, arguments: dict[str, Any], status: int, body: object, strict: bool
) -> None:
    ours, stock = (exchanged(load, endpoint, arguments, status, body, strict) for load in (OURS, STOCK))
    assert ours == stock


@pytest.mark.usefixtures("packages")
def test_what_was_parsed_is_returned_alone_too() -> None:
    endpoint = importlib.import_module("ours.api.invoices.send_invoices")
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=True))
    client = importlib.import_module("ours").Client(base_url="http://127.0.0.1", httpx_args={"transport": transport})
    assert endpoint.sync(ID, client=client, body=[]) is True
    assert asyncio.run(endpoint.asyncio(ID, client=client, body=[])) is True


def test_the_same_contract_gives_the_same_bytes_wherever_it_is_generated(packages: Path) -> None:
    committed, now = files_of(CLIENT), files_of(packages / "ours")
    # It lists the models of both contracts.
    del committed[Path("models/__init__.py")]
    assert {path: now.get(path) for path in committed} == committed


def loaded(code: str, *paths: Path) -> list[str]:
    script = f"import sys; sys.path[:0] = {[str(path) for path in paths]}\n{code}\nprint(*sys.modules)"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()


def heavy(modules: list[str]) -> list[str]:
    return [name for name in modules if name.split(".")[0] in {"attr", "attrs", "httpx", "asyncio"}]


def models_in(modules: list[str]) -> list[str]:
    return [name.rpartition(".")[2] for name in modules if ".models." in name]


def test_endpoints_load_no_model_and_no_http_library(packages: Path) -> None:
    paths = sorted((packages / "ours/api").glob("*/[a-z]*.py"))
    imports = [f"import ours.api.{path.parent.name}.{path.stem}" for path in paths]
    assert len(imports) == sum(len(each.keys() & METHODS) for each in CONTRACT_AND_MORE["paths"].values())
    modules = loaded("\n".join(imports), packages)
    assert heavy(modules) == []
    # The default of an argument is checked against it.
    assert models_in(modules) == ["list_invoices_order"]


def test_a_request_loads_its_own_model_and_no_http_library() -> None:
    code = """
import nous_portal_api, nous_portal_api.models as models
from nous_portal_api.api.billing import post_charge
dir(nous_portal_api), dir(models), nous_portal_api.__all__, models.__all__
post_charge._get_kwargs(body=models.ChargeRequest(amount_usd=5), idempotency_key="k")"""
    modules = loaded(code, CLIENT.parent)
    assert heavy(modules) == []
    assert models_in(modules) == ["charge_request"]


def test_every_name_of_the_package_is_found_and_no_other() -> None:
    for module in map(importlib.import_module, ["nous_portal_api", "nous_portal_api.models"]):
        assert dir(module) == sorted(module.__all__)
        assert all(getattr(module, name).__name__ == name for name in module.__all__ if "Type0" not in name)
        assert all(hasattr(module, name) for name in module.__all__)
        assert not hasattr(module, "Nothing")
