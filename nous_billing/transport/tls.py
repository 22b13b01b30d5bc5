"""The TLS context of the SDK's own connections, and why a certificate was refused.

On Linux and similar systems OpenSSL verifies, with the system's store. If the store has a directory with OpenSSL's
hashed names, OpenSSL reads single certificates on demand instead of all of them in every process. On macOS and Windows
truststore lets the system verify. OpenSSL would see only the roots that the system has cached, would fetch no missing
intermediates, and would ignore what an administrator distrusts.
"""

from __future__ import annotations

import os
import ssl
import sys

from ..errors import BillingInvalidRequest
from . import trust_store
from .trust_store import Store, invalid_setting, is_transient

_EXPIRED, _NOT_YET_VALID = 10, 9
_REASONS = {
    # By OpenSSL's X509_V_ERR_...
    **dict.fromkeys((2, 19, 20, 21), "its authority is not trusted here"),
    18: "it is self-signed",
    _NOT_YET_VALID: "it is not valid yet",
    _EXPIRED: "it has expired",
    62: "it is for another host",
    64: "it is for another address",
}

# The last context and its key. Replaced as one tuple, so that no lock is needed.
_kept: tuple[object, ssl.SSLContext] | None = None


def context(given: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """Return the TLS context for the next connection: the given one, or one that trusts the system's store.

    ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` each replace their half of that store, as OpenSSL has it; else
    ``REQUESTS_CA_BUNDLE`` and ``HERMES_CA_BUNDLE``, each a file or a directory, together replace the whole of it. Where
    the system has no certificates, certifi's are trusted. A context is kept until a variable or the store changes.

    Raises:
        BillingInvalidRequest: A variable names what cannot be used (``error="invalid_tls_setting"``).
        OSError: The store cannot be read right now; the next call tries again.
    """
    global _kept
    if given is not None:
        return given
    store = trust_store.named_store()
    if store is None and sys.platform in ("darwin", "win32"):
        # Not shared: truststore locks the context during each handshake.
        return _verified_by_the_system()
    store = store or trust_store.system_store()
    # Taken before the store is read: a change while it is read must not go unnoticed.
    key = (os.environ.get("SSLKEYLOGFILE"), store.fingerprint())
    kept = _kept
    if kept is not None and kept[0] == key:
        return kept[1]
    made = _load(store.needed())
    _kept = (key, made)
    return made


def explain(error: BaseException, host: str) -> str | None:
    """Explain why a certificate was refused and what helps, or return None for any other failure.

    Args:
        error: The exception; the refusal may be its cause.
        host: Whose certificate it is.

    Returns:
        The end of a sentence, without its full stop.
    """
    refusal = _refusal(error, set())
    if refusal is None:
        return None
    code: int = getattr(refusal, "verify_code", 0)
    reason = _REASONS.get(code) or str(getattr(refusal, "verify_message", "no reason was given")).rstrip(".")
    if code in (_EXPIRED, _NOT_YET_VALID):
        remedy = "If this machine's clock is right, the host must renew it, or a proxy that inspects TLS"
    else:
        store = trust_store.named_store()
        file = "the file that SSL_CERT_FILE names" if store is None else f"what {store.variable} names"
        remedy = (
            "Check the address. If a proxy inspects TLS, or the authority is private, "
            f"add its certificate to {file}, or pass an ssl_context= that trusts it"
        )
    return f"the certificate of {host} was refused: {reason}. {remedy}"


def _refusal(error: BaseException | None, seen: set[int]) -> ssl.SSLCertVerificationError | None:
    """Return the refused certificate's error: the exception itself, its cause, or one of its arguments (httpcore)."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error
    if error is None or id(error) in seen:
        return None
    seen.add(id(error))
    inner = (each for each in (error.__cause__, error.__context__, *error.args) if isinstance(each, BaseException))
    return next((found for found in (_refusal(each, seen) for each in inner) if found is not None), None)


def _load(store: Store) -> ssl.SSLContext:
    try:
        # Keeps the standard library's hardening. Without a path it would load the system's whole store.
        made = ssl.create_default_context(capath=os.devnull if store.directory is None else store.directory.path)
    except OSError as error:
        if is_transient(error):
            raise
        raise _key_log_refused(error) from error
    for file in store.files:
        try:
            made.load_verify_locations(cafile=file.path)
        except ssl.SSLError as error:
            if file.variable is None:
                raise OSError(f"a certificate in {file.path} is broken") from error
            raise invalid_setting(file.variable, file.path, "has a broken certificate") from error
    return made


def _verified_by_the_system() -> ssl.SSLContext:
    import truststore

    made = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    key_log = os.environ.get("SSLKEYLOGFILE")
    if key_log:
        try:
            made.keylog_filename = key_log
        except OSError as error:
            raise _key_log_refused(error) from error
    return made


def _key_log_refused(error: OSError) -> BillingInvalidRequest:
    return invalid_setting(
        "SSLKEYLOGFILE", os.environ.get("SSLKEYLOGFILE", ""), f"cannot be written ({error.strerror})"
    )
