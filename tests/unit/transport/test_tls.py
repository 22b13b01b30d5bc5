"""Whose certificates are trusted, and what is said of one that is refused: handshakes over loopback."""

import datetime
import hashlib
import os
import shutil
import socket
import ssl
import sys
import threading
from contextlib import contextmanager
from types import SimpleNamespace

import certifi
import httpcore
import pytest
import trustme
import truststore
from cryptography import x509

from nous_billing import BillingInvalidRequest
from nous_billing.transport import tls

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HERMES_CA_BUNDLE", "SSLKEYLOGFILE")
DAY = datetime.timedelta(days=1)
BROKEN = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
NOW = datetime.datetime.now(datetime.UTC)


class Authority:
    """A certificate authority, as a file and as a hashed directory."""

    def __init__(self, folder):
        self.ca = trustme.CA()
        self.file = str(folder / "ca.pem")
        self.ca.cert_pem.write_to_path(self.file)
        self.directory = str(folder / "hashed")
        os.mkdir(self.directory)
        self.link_from(self.directory)

    def link_from(self, directory):
        """Do as ``openssl rehash`` does."""
        subject = x509.load_pem_x509_certificate(self.ca.cert_pem.bytes()).subject
        # The hash is of the names in lower case, without the sequence around them.
        canonical = x509.Name(
            [x509.NameAttribute(each.oid, str(each.value).lower()) for each in subject]
        ).public_bytes()
        digest = hashlib.sha1(canonical[2 if canonical[1] < 128 else 2 + canonical[1] - 128 :]).digest()
        os.symlink(self.file, os.path.join(directory, f"{int.from_bytes(digest[:4], 'little'):08x}.0"))

    def server_context(self, *names, **validity):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names or ("127.0.0.1",), **validity).configure_cert(context)
        return context


@contextmanager
def serving(context):
    """Shake hands with whoever connects, and say on which port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        context.wrap_socket(connection, server_side=True).close()
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def shake_hands(authority, context):
    with serving(authority.server_context()) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        context.wrap_socket(connection, server_hostname="127.0.0.1").close()


def is_trusted(authority):
    try:
        shake_hands(authority, tls.context())
    except ssl.SSLCertVerificationError:
        return False
    return True


@pytest.fixture
def new_authority(tmp_path_factory):
    return lambda: Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def authority(new_authority):
    return new_authority()


@pytest.fixture
def other(new_authority):
    return new_authority()


@pytest.fixture
def system(monkeypatch, tmp_path):
    """A system with nothing in its store; a test may put something there."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tls, "_kept", None)
    monkeypatch.setattr(sys, "platform", "linux")
    (tmp_path / "certs").mkdir()
    paths = SimpleNamespace(openssl_cafile=str(tmp_path / "cert.pem"), openssl_capath=str(tmp_path / "certs"))
    # For truststore, which here has OpenSSL verify.
    paths.cafile = paths.openssl_cafile
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    return paths


FILE_VARIABLES = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HERMES_CA_BUNDLE"]
DIRECTORY_VARIABLES = ["SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HERMES_CA_BUNDLE"]


def test_a_context_that_is_given_is_used_as_it_is(system, monkeypatch):
    given = ssl.create_default_context()
    monkeypatch.setenv("SSL_CERT_FILE", "/missing")
    assert tls.context(given) is given


@pytest.mark.parametrize("name", FILE_VARIABLES)
def test_a_file_that_a_variable_names_is_trusted(name, system, authority, other, monkeypatch):
    monkeypatch.setenv(name, authority.file)
    assert is_trusted(authority)
    assert not is_trusted(other)


@pytest.mark.parametrize("name", DIRECTORY_VARIABLES)
def test_a_directory_that_a_variable_names_is_trusted(name, system, authority, other, monkeypatch):
    monkeypatch.setenv(name, authority.directory)
    assert is_trusted(authority)
    assert not is_trusted(other)


@pytest.mark.parametrize("weaker", FILE_VARIABLES[1:])
def test_the_variable_of_openssl_counts_and_the_others_are_not_looked_at(weaker, system, authority, other, monkeypatch):
    stronger = FILE_VARIABLES[0]
    monkeypatch.setenv(stronger, authority.file)
    monkeypatch.setenv(weaker, "/missing")
    assert is_trusted(authority)
    monkeypatch.setenv(stronger, "")
    monkeypatch.setenv(weaker, other.file)
    assert is_trusted(other)
    assert not is_trusted(authority)


@pytest.mark.parametrize("form", ["file", "directory"])
def test_the_bundles_of_other_programs_are_trusted_together(form, system, new_authority, monkeypatch):
    for name, authority in (("REQUESTS_CA_BUNDLE", new_authority()), ("HERMES_CA_BUNDLE", new_authority())):
        monkeypatch.setenv(name, authority.file if name == "REQUESTS_CA_BUNDLE" else getattr(authority, form))
        assert is_trusted(authority)
    assert not is_trusted(new_authority())


def test_each_variable_of_openssl_replaces_its_half_of_the_system_store(system, new_authority, monkeypatch):
    in_file, in_directory, named = new_authority(), new_authority(), new_authority()
    shutil.copy(in_file.file, system.openssl_cafile)
    in_directory.link_from(system.openssl_capath)
    monkeypatch.setenv("SSL_CERT_FILE", named.file)
    assert [is_trusted(each) for each in (in_file, in_directory, named)] == [False, True, True]
    monkeypatch.setenv("SSL_CERT_DIR", f"/missing{os.pathsep}{in_file.directory}")
    assert [is_trusted(each) for each in (in_file, in_directory, named)] == [True, False, True]
    monkeypatch.delenv("SSL_CERT_FILE")
    assert [is_trusted(each) for each in (in_file, in_directory, named)] == [True, False, False]
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", named.file)
    monkeypatch.delenv("SSL_CERT_DIR")
    assert [is_trusted(each) for each in (in_file, in_directory, named)] == [False, False, True]


def test_a_directory_with_nothing_in_it_does_no_harm_beside_a_file(system, authority, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "missing"))
    assert is_trusted(authority)


def test_certificates_of_a_hashed_directory_are_read_when_they_are_needed(system, authority):
    authority.link_from(system.openssl_capath)
    context = tls.context()
    assert context.cert_store_stats()["x509_ca"] == 0
    shake_hands(authority, context)
    assert context.cert_store_stats()["x509_ca"] == 1


@pytest.mark.parametrize("name", ["ca-certificates.crt", "mine.crt"])
def test_the_bundle_of_a_hashed_directory_is_not_read_as_well(name, system, authority):
    authority.link_from(system.openssl_capath)
    bundle = os.path.join(system.openssl_capath, name)
    shutil.copy(authority.file, bundle)
    os.symlink(bundle, system.openssl_cafile)
    assert tls.context().cert_store_stats()["x509_ca"] == (0 if name == "ca-certificates.crt" else 1)


def test_a_bundle_to_which_somebody_has_added_is_read(system, authority, other):
    authority.link_from(system.openssl_capath)
    system.openssl_cafile = os.path.join(system.openssl_capath, "ca-certificates.crt")
    with open(system.openssl_cafile, "wb") as bundle:
        bundle.write(authority.ca.cert_pem.bytes() + other.ca.cert_pem.bytes())
    assert is_trusted(authority)
    assert is_trusted(other)


def test_a_directory_without_usable_links_leaves_it_to_the_file(system, authority):
    shutil.copy(authority.file, system.openssl_cafile)
    os.symlink("/missing", os.path.join(system.openssl_capath, "0123abcd.0"))
    shutil.copy(authority.file, system.openssl_capath)
    assert is_trusted(authority)


@pytest.mark.parametrize("is_there", [True, False])
def test_without_any_certificate_of_the_system_those_of_certifi_are_trusted(is_there, system, authority, monkeypatch):
    if is_there:
        os.symlink("/missing", os.path.join(system.openssl_capath, "0123abcd.0"))
    else:
        os.rmdir(system.openssl_capath)
    assert tls.context().cert_store_stats()["x509_ca"] > 100
    monkeypatch.setattr(certifi, "where", lambda: authority.file)
    monkeypatch.setattr(tls, "_kept", None)
    assert is_trusted(authority)


def test_a_broken_certificate_of_the_system_is_named_until_it_is_replaced(system, authority):
    with open(system.openssl_cafile, "wb") as file:
        file.write(authority.ca.cert_pem.bytes() + BROKEN)
    with pytest.raises(OSError, match=f"^a certificate in {system.openssl_cafile} is broken$"):
        tls.context()
    shutil.copy(authority.file, system.openssl_cafile)
    assert is_trusted(authority)


def test_a_context_is_kept_until_the_store_changes(system, authority, other):
    first = tls.context()
    assert tls.context() is first
    shutil.copy(authority.file, system.openssl_cafile)
    second = tls.context()
    assert second is not first
    assert tls.context() is second
    assert not is_trusted(other)
    other.link_from(system.openssl_capath)
    assert is_trusted(other)
    assert is_trusted(authority)
    os.remove(system.openssl_cafile)
    assert not is_trusted(authority)


@contextmanager
def no_descriptor_left():
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("name", [None, "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"])
def test_a_store_that_could_not_be_read_is_read_by_the_next_call(name, system, authority, tmp_path, monkeypatch):
    shutil.copy(authority.file, system.openssl_cafile)
    if name is not None:
        value = {"SSL_CERT_FILE": authority.file, "SSL_CERT_DIR": authority.directory}.get(name, str(tmp_path / "keys"))
        monkeypatch.setenv(name, value)
    if name == "SSLKEYLOGFILE":
        # Nothing else is opened then.
        os.rmdir(system.openssl_capath)
        monkeypatch.setattr("nous_billing.transport.trust_store._count_certificates", lambda file: 1)
    with no_descriptor_left(), pytest.raises(OSError, match="Too many open files"):
        tls.context()
    assert is_trusted(authority)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        *((name, None, "cannot be read (No such file or directory)") for name in FILE_VARIABLES),
        ("SSL_CERT_FILE", "directory", "cannot be read (Is a directory)"),
        ("SSL_CERT_FILE", b"\x00\x01", "has no certificate in PEM format"),
        (
            "REQUESTS_CA_BUNDLE",
            BROKEN,
            "has a broken certificate",
        ),
        *((name, "directory", "has no certificates (see openssl rehash)") for name in DIRECTORY_VARIABLES),
        ("SSL_CERT_DIR", None, "has no certificates (see openssl rehash)"),
        ("SSLKEYLOGFILE", "directory", "cannot be written (Is a directory)"),
    ],
)
def test_a_variable_that_names_what_cannot_be_used_is_named(
    name, content, reason, system, authority, tmp_path, monkeypatch
):
    shutil.copy(authority.file, system.openssl_cafile)
    path = tmp_path / "named"
    if content == "directory":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(name, str(path))
    for _ in range(2):
        with pytest.raises(BillingInvalidRequest) as caught:
            tls.context()
        assert (
            str(caught.value) == f"{name} names {str(path)!r}, which {reason}. Correct or unset it. Nothing was sent."
        )
        assert caught.value.error == "invalid_tls_setting"


def test_a_context_is_as_hard_as_the_standard_librarys(system, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    ours, standard = tls.context(), ssl.create_default_context(cafile=authority.file)
    for name in ("verify_mode", "check_hostname", "minimum_version", "options", "verify_flags"):
        assert getattr(ours, name) == getattr(standard, name)
    assert ours.get_ciphers() == standard.get_ciphers()
    assert ours.get_ca_certs() == standard.get_ca_certs()


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_keys_are_logged_where_the_environment_asks_for_it(platform, system, authority, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = tls.context()
    context.load_verify_locations(authority.file)
    shake_hands(authority, context)
    assert "TRAFFIC_SECRET" in (tmp_path / "keys").read_text()


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_macos_and_windows_verify_themselves(platform, system, authority, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    context = tls.context()
    assert isinstance(context, truststore.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    # A handshake that hangs would hold up all others of the same context.
    assert tls.context() is not context
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    assert not isinstance(tls.context(), truststore.SSLContext)
    assert is_trusted(authority)


def test_a_key_log_is_refused_where_the_system_verifies(system, monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("SSLKEYLOGFILE", "/missing/keys")
    with pytest.raises(BillingInvalidRequest, match=r"^SSLKEYLOGFILE names '/missing/keys', which cannot be written"):
        tls.context()


PRIVATE = (
    "Check the address. If a proxy inspects TLS, or the authority is private, add its certificate to {}, "
    "or pass an ssl_context= that trusts it"
)
RENEW = "If this machine's clock is right, the host must renew it, or a proxy that inspects TLS"


def refused(context):
    """Return what a connection of the HTTP library raises."""
    with serving(context) as port:
        origin = httpcore.Origin(b"https", b"127.0.0.1", port)
        with (
            httpcore.HTTPConnection(origin, ssl_context=tls.context()) as connection,
            pytest.raises(httpcore.ConnectError) as caught,
        ):
            connection.request("GET", f"https://127.0.0.1:{port}/")
        return caught.value


@pytest.mark.parametrize(
    ("names", "validity", "reason", "remedy"),
    [
        (["portal.test"], {}, "it is for another address", PRIVATE.format("what SSL_CERT_FILE names")),
        (["127.0.0.1"], {"not_before": NOW - 9 * DAY, "not_after": NOW - DAY}, "it has expired", RENEW),
        (["127.0.0.1"], {"not_before": NOW + DAY, "not_after": NOW + 9 * DAY}, "it is not valid yet", RENEW),
    ],
)
def test_a_refusal_says_why_and_what_helps(names, validity, reason, remedy, system, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    error = refused(authority.server_context(*names, **validity))
    assert tls.explain(error, "portal.test") == f"the certificate of portal.test was refused: {reason}. {remedy}"


@pytest.mark.parametrize("name", [None, *FILE_VARIABLES])
def test_an_unknown_authority_is_added_to_what_is_trusted(name, system, authority, other, monkeypatch):
    if name is not None:
        monkeypatch.setenv(name, other.file)
    error = refused(authority.server_context())
    error.__cause__ = error.__context__ = None
    file = "the file that SSL_CERT_FILE names" if name is None else f"what {name} names"
    assert tls.explain(error, "h") == (
        f"the certificate of h was refused: its authority is not trusted here. {PRIVATE.format(file)}"
    )


def test_a_certificate_without_an_authority_is_called_self_signed(system, authority, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.ca.private_key_pem.write_to_path(tmp_path / "key.pem")
    context.load_cert_chain(authority.file, tmp_path / "key.pem")
    assert ": it is self-signed. " in str(tls.explain(refused(context), "h"))


def test_another_reason_is_the_verifiers_own(system):
    # As truststore raises it, with the system's code.
    error = ssl.SSLCertVerificationError("distrusted.")
    error.verify_message, error.verify_code = "distrusted.", -67818
    help_ = PRIVATE.format("the file that SSL_CERT_FILE names")
    assert tls.explain(error, "h") == f"the certificate of h was refused: distrusted. {help_}"
    bare = ssl.SSLCertVerificationError()
    assert tls.explain(bare, "h") == f"the certificate of h was refused: no reason was given. {help_}"


def test_another_failure_is_not_explained():
    error = httpcore.ConnectError("refused")
    error.__cause__ = OSError(111, "refused")
    error.__cause__.__context__ = error
    assert tls.explain(error, "h") is None
    assert tls.explain(ssl.SSLError(1, "wrong version number"), "h") is None
