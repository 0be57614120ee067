#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""The file people run: checks the Python, sets up .venv when needed, hands over to the monitor.

Everything here parses on Python 2.7 and later, so that an old Python gets a sentence.
"""

import sys

NEEDED = (3, 11)

if sys.version_info < NEEDED:
    sys.stderr.write(
        "The news monitor needs Python %d.%d or newer; this is Python %d.%d (%s).\n"
        "Start it with a newer one, for example: python3.%d run_monitor.py\n"
        % (
            NEEDED[0],
            NEEDED[1],
            sys.version_info[0],
            sys.version_info[1],
            sys.executable,
            NEEDED[1],
        )
    )
    sys.exit(2)

if __name__ == "__main__":
    from monitor.bootstrap import start

    start(sys.argv[1:])
