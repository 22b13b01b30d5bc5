"""Makes a process lack what Windows lacks, as far as that can be simulated elsewhere."""

import asyncio
import concurrent.futures.thread
import logging.handlers
import multiprocessing
import os
import random
import socket
import ssl
import subprocess
import sys
import tempfile

import filelock

# Loaded while all is there: they look for it at their import.
LOADED = [concurrent.futures.thread, logging.handlers, multiprocessing, random, socket, ssl, subprocess, tempfile]
# It has a lock of its own for Windows.
LOADED.append(filelock)
MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
NAMES = ("fork", "register_at_fork", "getuid", "geteuid", "O_NOFOLLOW", "O_DIRECTORY")
# What `asyncio.ProactorEventLoop` has not.
SELECTOR_ONLY = ("add_reader", "remove_reader", "add_writer", "remove_writer", "add_signal_handler")


def simulate() -> None:
    """Take it away for good. `sys.platform` stays: the standard library would look for what is not there."""
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in NAMES:
        if hasattr(os, name):
            delattr(os, name)
    for name in SELECTOR_ONLY:
        setattr(asyncio.SelectorEventLoop, name, _for_asyncio_only(getattr(asyncio.SelectorEventLoop, name)))
    opened = os.open

    def open_no_folder(path, flags, *arguments, **options):
        # Not for the functions that empty a folder by its descriptor.
        if os.path.isdir(path) and "dir_fd" not in options:
            raise PermissionError(13, "Permission denied", path)
        return opened(path, flags, *arguments, **options)

    os.open = open_no_folder


def _for_asyncio_only(method):
    def call(loop, *arguments):
        # The selector loop itself still needs it.
        if not sys._getframe(1).f_globals["__name__"].startswith("asyncio."):
            raise NotImplementedError
        return method(loop, *arguments)

    return call
