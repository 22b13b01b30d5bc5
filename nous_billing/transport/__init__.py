"""What performs the steps of the rules: drivers, senders and connections, in a thread or on an event loop.

Private. Imports ``protocol`` and the front. Importing a module here may load an HTTP library.
"""
