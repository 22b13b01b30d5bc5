"""Logins: the SDK's own, kept in a file and renewed in time, and the login of Hermes.

Private; the public names are those of ``nous_billing``. Imports ``transport``, ``protocol`` and the front.
"""
