"""Who sits at the command line."""

from __future__ import annotations

import getpass
import os


def login() -> str:
    """The person's login name, also behind ``sudo -u monitor``."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # in a container: a user without a name
        return f"user {os.getuid()}"
