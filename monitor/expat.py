"""Whether the XML parser that Python was built with is one of those with known holes.  Pure.

Feeds are read by it in a child process with limits, so that an attack costs one visit; still, a
newer one should be had.  2.6.0 closes CVE-2023-52425 and CVE-2023-52426.
"""

from __future__ import annotations

import re

SAFE = (2, 6, 0)


def warning(version: str) -> str:
    """What is to be known of ``pyexpat.EXPAT_VERSION``; "": nothing."""
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", version)
    if found is None or tuple(map(int, found.groups())) >= SAFE:
        return ""
    return (
        f"this Python reads XML with expat {found[0]}, which hostile feeds can slow down; update"
        " Python or the system's libexpat to 2.6.0 or later, unless your distribution says that"
        " it has mended the old one"
    )
