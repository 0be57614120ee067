"""Documents of feeds that name the wrong encoding, made UTF-8.  Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from monitor.model import Fetched

_DECLARATION = re.compile(r"\s*<\?xml[^>]{0,1000}?\?>")
_OURS = '<?xml version="1.0" encoding="utf-8"?>'


def read_as(fetched: Fetched, encoding: str) -> Fetched:
    """*fetched* as UTF-8, its bytes being *encoding*, whatever header and declaration say."""
    text = fetched.body.decode(encoding, "replace").removeprefix("\ufeff")
    text = _DECLARATION.sub(_OURS, text, count=1) if _DECLARATION.match(text) else text
    kind = (fetched.content_type or "application/xml").partition(";")[0].strip()
    return replace(
        fetched, body=text.encode("utf-8", "replace"), content_type=f"{kind}; charset=utf-8"
    )
