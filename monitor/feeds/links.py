"""Links that need no base: most of them, and joining takes longer than all else.  Pure."""

from __future__ import annotations

import re

# No empty parts, no parameters, no letters that ``urljoin`` would drop.
_WHOLE = re.compile(
    r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?"
    r"(?:/[\w.~%/+,@:!$&'()*=-]*)?(?:\?[\w.~%/+,@:!$&'()*=?;-]+)?(?:#[\w.~%/+,@:!$&'()*=?;-]+)?",
    re.ASCII,
)


def is_whole(link: str) -> bool:
    """Whether ``urljoin(base, link)`` is *link*, whatever *base* is."""
    return _WHOLE.fullmatch(link) is not None
