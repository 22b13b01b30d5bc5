"""For HTTP clients that meet no TLS: to load the roots that others are checked by takes longer than most tests."""

import ssl

NO_ROOTS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
