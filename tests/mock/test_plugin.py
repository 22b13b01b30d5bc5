"""The pytest fixture `mock_portal`."""

import subprocess
import sys

pytest_plugins = ["pytester"]


def test_the_fixture_is_a_served_portal(mock_portal):
    assert mock_portal.url.startswith("http://127.0.0.1:")
    assert mock_portal.organisation.name == "Acme"


def test_a_violation_fails_the_test_at_its_end(pytester):
    pytester.makepyfile(
        """
        def test_lie(mock_portal):
            mock_portal.violations.append("get_billing_state answered 299.")

        def test_truth(mock_portal):
            pass
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*broke the contract*", "*answered 299*"])


def test_the_plugin_and_the_package_load_nothing_heavy():
    code = (
        "import sys, nous_billing.mock.pytest_plugin; "
        "print({'starlette', 'uvicorn', 'jsonschema_rs', 'httpx'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


NEEDS_STARLETTE = "The mock portal needs starlette: install nous-billing[mock] from the index of nous-billing\n"


def test_without_the_extra_the_command_says_only_what_to_install():
    code = (
        "import sys, runpy; sys.modules['starlette'] = None; runpy.run_module('nous_billing.mock', run_name='__main__')"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (process.returncode, process.stdout, process.stderr) == (1, "", NEEDS_STARLETTE)


def test_without_the_extra_the_error_says_what_to_install():
    code = "import sys; sys.modules['jsonschema_rs'] = None; import nous_billing.mock as m; m.MockPortal"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (
        "Error: The mock portal needs jsonschema_rs: install nous-billing[mock] from the index of nous-billing"
        in process.stderr
    )
