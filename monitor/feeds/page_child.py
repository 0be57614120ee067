"""A web page → its text, as JSON values.  Runs in a child process; the one user of trafilatura.

trafilatura, and lxml below it, may run without end or crash on hostile pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import trafilatura

from monitor.feeds.clean import clean_text

MAX_TEXT = 256_000  # characters

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_SUBSCRIBERS = re.compile(r'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)  # schema.org


def read(header: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """The wire form of PageText; *header* has final_url and content_type."""
    page = _decoded(body, header.get("content_type") or "")
    text = trafilatura.extract(page, url=header.get("final_url"), include_comments=False) or ""
    return {
        "text": clean_text(text[:MAX_TEXT]).strip(),
        "for_subscribers": bool(_SUBSCRIBERS.search(page)),
    }


def _decoded(body: bytes, content_type: str) -> str:
    """By the header, else by what the page says in its beginning, else as UTF-8."""
    start = body[:2_000].decode("latin-1")
    found = _CHARSET.search(content_type) or _CHARSET.search(start)
    try:
        return body.decode(found[1] if found else "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
