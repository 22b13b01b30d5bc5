"""The rules of an exchange with the portal, without I/O: what goes out, how a reply is read, what an error code means.

Private. Imports the leaves of the front (errors, models, money, portal, credentials) and the generated package.
"""
