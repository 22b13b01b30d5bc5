"""Buying once: the rules of a purchase, its record and where it is stored.

Private; the public names are those of ``nous_billing``. Imports ``protocol`` and the front, and does no network I/O.
"""
