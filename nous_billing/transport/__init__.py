"""Drivers, senders and connections: they perform the steps that the rules yield, in a thread or on an event loop.

Private. Imports ``protocol`` and the front. Importing a module here may load an HTTP library.
"""
