"""The rules of an exchange with the portal, without I/O: requests, replies and error codes.

Private. Imports only errors, models, money, portal and credentials of the public modules, and the generated package.
"""
