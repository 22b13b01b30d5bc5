"""The names and signatures that others build on, and what importing them loads."""

import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nous_billing
from nous_billing import AsyncBillingClient, BillingClient, hermes

SOURCE = Path(nous_billing.__file__)
STUB = SOURCE.with_suffix(".pyi")

# What others build on.
DESIGNED = [
    "AsyncBillingClient",
    "BillingClient",
    "BillingAccessDenied",
    "BillingAuthError",
    "BillingChargeCancelled",
    "BillingChargeTimeout",
    "BillingChargeUnconfirmed",
    "BillingChargeUnsettled",
    "BillingConsentRequired",
    "BillingDisabled",
    "BillingError",
    "BillingIdempotencyConflict",
    "BillingInvalidRequest",
    "BillingMonthlyCapExceeded",
    "BillingNetworkError",
    "BillingNoPaymentMethod",
    "BillingRateLimited",
    "BillingRemoteSpendingRevoked",
    "BillingResponseError",
    "BillingRoleRequired",
    "BillingScopeRequired",
    "BillingSessionRevoked",
    "BillingStripeUnavailable",
    "BillingTimeout",
    "BillingState",
    "ChargeAccepted",
    "ChargePending",
    "ChargeSettled",
    "ChargeFailed",
    "resolve_portal_base_url",
    "DEFAULT_PORTAL_BASE_URL",
    "DEFAULT_TIMEOUT",
    "BILLING_MANAGE_SCOPE",
    "parse_usd",
    "format_usd",
    "new_idempotency_key",
    "Credentials",
    "CredentialSource",
    "StaticToken",
]


def parameters(function):
    """Each parameter: its name, star for keyword only, and default."""
    return [
        ("*" if parameter.kind is parameter.KEYWORD_ONLY else "")
        + parameter.name
        + ("" if parameter.default is parameter.empty else f"={parameter.default!r}")
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self"
    ]


def test_all_is_sorted_and_names_nothing_twice():
    assert sorted(set(nous_billing.__all__)) == nous_billing.__all__
    listed = [name for names in nous_billing._MODULES.values() for name in names]
    assert sorted([*listed, "__version__"]) == nous_billing.__all__


def test_a_type_checker_sees_the_objects_that_a_program_gets():
    seen = {"__name__": "nous_billing", "__package__": "nous_billing"}
    exec(compile(STUB.read_text(encoding="utf-8"), str(STUB), "exec"), seen)
    assert sorted(seen["__all__"]) == nous_billing.__all__
    for name in nous_billing.__all__:
        assert seen[name] is getattr(nous_billing, name)


@pytest.fixture(scope="module")
def editor(tmp_path_factory):
    """What editors complete with, in an environment that it knows."""
    import jedi  # type: ignore[import-untyped]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jedi.settings, "cache_directory", tmp_path_factory.mktemp("jedi"))
        environment = jedi.InterpreterEnvironment()
        yield lambda code: {each.name for each in jedi.Script(code, environment=environment).complete()}


@pytest.mark.parametrize(
    ("code", "completed"),
    [
        ("from nous_billing import BillingCl", {"BillingClient"}),
        ("import nous_billing as nb; nb.BillingClient(nb.StaticToken('t')).get_billing_state().mon", {"monthly_cap"}),
        ("import nous_billing as nb; nb.new_idem", {"new_idempotency_key"}),
    ],
)
def test_an_editor_completes_public_names_without_running_the_code(code, completed, editor):
    assert editor(code) == completed


@pytest.mark.parametrize("name", nous_billing.__all__)
def test_every_name_can_be_had_and_is_the_one_of_its_module(name):
    value = getattr(nous_billing, name)
    if name != "__version__":
        module = importlib.import_module(f"nous_billing.{nous_billing._MODULE_OF[name]}")
        assert value is getattr(module, name)
        assert vars(nous_billing)[name] is value


def test_the_names_of_the_design_are_public():
    assert set(DESIGNED) <= set(nous_billing.__all__)


def test_a_star_import_gives_exactly_all():
    names: dict[str, object] = {}
    exec("from nous_billing import *", names)
    assert set(names) - {"__builtins__"} == set(nous_billing.__all__)


@pytest.mark.parametrize("name", ["StoredLogins", "billing_client", "_Hidden", "__wrapped__", ""])
def test_an_unknown_name_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match="module 'nous_billing' has no attribute"):
        getattr(nous_billing, name)


def test_an_unknown_name_cannot_be_imported():
    with pytest.raises(ImportError):
        exec("from nous_billing import nothing_of_the_kind")


def test_dir_lists_the_public_names():
    assert dir(nous_billing) == sorted(nous_billing.__all__)


CLIENT = [
    "credentials=None",
    "*base_url=None",
    "*timeout=15.0",
    "*http_client=None",
    "*ssl_context=None",
    "*proxy=None",
    "*user_agent=None",
    "*observer=None",
    "*clock=None",
]
METHODS = {
    "get_billing_state": ["*timeout=None"],
    "patch_auto_top_up": ["*enabled", "*threshold", "*top_up_amount", "*organisation_id=None", "*timeout=None"],
    "post_charge": ["*amount_usd", "*idempotency_key", "*timeout=None"],
    "get_charge_status": ["charge_id", "*timeout=None"],
    "wait_for_charge": ["charge_id", "*interval=2.0", "*cap=300.0", "*on_poll=None", "*cancelled=None"],
    "buy_credits": [
        "amount_usd",
        "*idempotency_key",
        "*organisation_id=None",
        "*store=None",
        "*step_up=None",
        "*on_progress=None",
        "*cancelled=None",
        "*interval=2.0",
        "*cap=300.0",
    ],
    "begin_purchase": [
        "amount_usd",
        "*idempotency_key",
        "*organisation_id=None",
        "*store=None",
        "*step_up=None",
        "*on_progress=None",
        "*cancelled=None",
    ],
    "check_purchase": ["idempotency_key", "*store=None"],
    "follow_purchase": ["idempotency_key", "*store=None", "*interval=2.0", "*cap=300.0"],
    "resume_purchases": [
        "store=None",
        "*organisation_id=None",
        "*on_progress=None",
        "*cancelled=None",
        "*interval=2.0",
        "*cap=300.0",
    ],
}


@pytest.mark.parametrize("client", [BillingClient, AsyncBillingClient])
def test_both_clients_are_made_with_the_arguments_of_the_design(client):
    assert parameters(client) == CLIENT


@pytest.mark.parametrize("client", [BillingClient, AsyncBillingClient])
@pytest.mark.parametrize("name", METHODS)
def test_both_clients_have_the_methods_of_the_design(client, name):
    method = getattr(client, name)
    assert parameters(method) == [*METHODS[name], "*headers=None"]
    awaited = inspect.iscoroutinefunction(method)
    assert awaited is (client is AsyncBillingClient and name != "follow_purchase")


@pytest.mark.parametrize("name", METHODS)
def test_the_two_clients_return_the_same(name):
    blocking, awaited = (inspect.signature(getattr(client, name)) for client in (BillingClient, AsyncBillingClient))
    if name == "follow_purchase":
        assert blocking.return_annotation == "Generator[Purchase, None, None]"
        assert awaited.return_annotation == "AsyncGenerator[Purchase, None]"
    else:
        assert blocking.return_annotation == awaited.return_annotation


def test_the_two_clients_have_the_same_public_methods():
    def public(client):
        return {name for name in dir(client) if not name.startswith("_")}

    assert public(BillingClient) - {"close"} == public(AsyncBillingClient) - {"aclose"} >= METHODS.keys()
    assert {"__enter__", "__exit__"} <= set(dir(BillingClient))
    assert {"__aenter__", "__aexit__"} <= set(dir(AsyncBillingClient))


FUNCTIONS = {
    "resolve_portal_base_url": ["state=None"],
    "parse_usd": ["text"],
    "format_usd": ["amount"],
    "new_idempotency_key": [],
    "Credentials": ["access_token", "portal_base_url=None"],
    "StaticToken": ["access_token", "*portal_base_url=None"],
    "BillingError": [
        "message",
        "*status=None",
        "*error=None",
        "*portal_url=None",
        "*retry_after=None",
        "*payload=None",
        "*headers=None",
        "*outcome_unknown=False",
    ],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_rest_takes_the_arguments_of_the_design(name):
    assert parameters(getattr(nous_billing, name)) == FUNCTIONS[name]


def test_a_source_of_credentials_is_asked_with_the_rejected_token_by_name():
    for source in (nous_billing.CredentialSource, nous_billing.StaticToken, nous_billing.HermesLogin):
        assert parameters(source.resolve) == ["*rejected=None"]


def test_the_constants_are_those_of_the_seed():
    assert nous_billing.DEFAULT_PORTAL_BASE_URL == "https://portal.nousresearch.com"
    assert nous_billing.DEFAULT_TIMEOUT == 15.0
    assert nous_billing.BILLING_MANAGE_SCOPE == "billing:manage"


# The names of the module that Hermes had, with their parameters.
OLD = {
    "resolve_portal_base_url": ["state=None"],
    "get_billing_state": ["*timeout=15.0"],
    "patch_auto_top_up": ["*enabled", "*threshold", "*top_up_amount", "*timeout=15.0"],
    "post_charge": ["*amount_usd", "*idempotency_key", "*timeout=15.0"],
    "get_charge_status": ["charge_id", "*timeout=15.0"],
    "invalidate_cached_token": [],
    "_absolutize_portal_url": ["portal_url"],
    "get_subscription_state": ["*timeout=15.0"],
    "post_subscription_preview": ["*subscription_type_id", "*timeout=15.0"],
    "put_subscription_pending_change": ["*subscription_type_id=None", "*cancel=False", "*timeout=15.0"],
    "delete_subscription_pending_change": ["*timeout=15.0"],
    "post_subscription_upgrade": ["*subscription_type_id", "*idempotency_key", "*timeout=15.0"],
}
OLD_CLASSES = [
    "BillingError",
    "BillingScopeRequired",
    "BillingRateLimited",
    "BillingAuthError",
    # Of version 0.19.
    "BillingRemoteSpendingRevoked",
    "BillingSessionRevoked",
    "BillingStripeUnavailable",
    "BillingUpgradeCapExceeded",
]
OLD_CONSTANTS = ["DEFAULT_PORTAL_BASE_URL", "DEFAULT_TIMEOUT", "BILLING_MANAGE_SCOPE"]


def test_the_drop_in_has_the_names_of_the_seed_and_no_other():
    assert sorted(hermes.__all__) == sorted([*OLD, *OLD_CLASSES, *OLD_CONSTANTS, "BillingTransient"])
    assert hermes.BillingTransient is hermes.BillingRateLimited
    assert len(set(hermes.__all__)) == len(hermes.__all__)


@pytest.mark.parametrize("name", OLD)
def test_the_drop_in_takes_the_arguments_of_the_seed(name):
    assert parameters(getattr(hermes, name)) == OLD[name]


@pytest.mark.parametrize("name", [*OLD_CLASSES, *OLD_CONSTANTS])
def test_the_drop_in_has_the_classes_and_constants_of_the_package(name):
    assert getattr(hermes, name) is getattr(nous_billing, name)


@pytest.mark.parametrize(
    "code",
    [
        "import nous_billing",
        "import nous_billing.errors",
        "import nous_billing.money",
        "import nous_billing.models",
        "from nous_billing import BillingError, BillingNoPaymentMethod; BillingNoPaymentMethod('x').payload",
        "from nous_billing import BillingState, ChargeSettled, ChargeStatus",
        "from nous_billing import parse_usd, format_usd; format_usd(parse_usd('142.5'))",
        "import nous_billing.money as m; m.encode_json({'a': m.check_amount('5', 'a')})",
        "from nous_billing import DEFAULT_PORTAL_BASE_URL, DEFAULT_TIMEOUT, resolve_portal_base_url, __version__",
        "import nous_billing; dir(nous_billing); getattr(nous_billing, 'nothing', None)",
    ],
)
def test_importing_and_using_the_light_names_loads_neither_httpx_nor_asyncio(code):
    # Without the site module, so that nothing else of the environment is loaded, nor could be.
    script = f"import sys; sys.path.insert(0, {str(SOURCE.parents[1])!r}); {code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "nous_billing" in loaded
    if code == "import nous_billing":
        assert "typing" not in loaded
    heavy = {"httpx", "httpcore", "h11", "asyncio", "ssl", "attr", "attrs", "nous_portal_api"}
    assert heavy.isdisjoint(name.split(".")[0] for name in loaded)


def test_a_client_loads_no_http_library_before_its_first_call_and_no_event_loop():
    code = "from nous_billing import BillingClient, StaticToken; BillingClient(StaticToken('t'))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"], capture_output=True, check=True
    )
    modules = done.stdout.decode().split()
    assert "nous_portal_api.api.billing.post_charge" in modules
    assert not any(name.startswith(("nous_portal_api.models.", "nous_portal_api.client")) for name in modules)
    loaded = {name.split(".")[0] for name in modules}
    assert {"httpx", "httpcore", "h11", "asyncio", "attr", "attrs", "filelock"}.isdisjoint(loaded)


def test_the_async_methods_say_what_the_sync_ones_say():
    """Each docstring but for what differs: how the scope is asked for, and how a call is interrupted."""

    def said(method):
        text = inspect.getdoc(method) or ""
        text = re.sub(r"    BillingPurchaseInterrupted:.*\n", "", text.replace("login.astep_up", "login.step_up"))
        return text.partition("\n\nIf the task is cancelled")[0]

    names = {name for name, value in vars(BillingClient).items() if inspect.isfunction(value)} - {"close"}
    for name in sorted(name for name in names if not name.startswith("_")):
        assert said(getattr(AsyncBillingClient, name)) == said(getattr(BillingClient, name)), name
