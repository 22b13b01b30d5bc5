"""Idempotent purchases: their rules, their records and their stores.

Private; the public names are those of ``nous_billing``. Imports ``protocol`` and the front, and does no network I/O.
"""
