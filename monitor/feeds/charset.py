"""Which code a document is written in, where server, document and bytes disagree.  Pure.

RFC 3023, which feedparser follows, lets the server's header decide.  But servers send the charset
of their own configuration with whatever they hold, and turn good UTF-8 into "â€™".  So, in turn:

* a byte order mark decides (RFC 7303 §3), or the form of the first two characters;
* UTF-8, if the document says so or says nothing, or names a western code, and its bytes agree: text
  in another code is practically never valid UTF-8.  A few broken characters, of a text cut in the
  middle of one, do not change the code of all others;
* the document's own word, if the header names a western code, which any bytes fit.
"""

from __future__ import annotations

import codecs
import re

XML = "application/xml"
UTF8 = f"{XML}; charset=utf-8"
BAD_SHARE = 0.02  # of the characters beyond ASCII that may be broken in what is UTF-8 all the same

_MARKS = (  # the longer first: UTF-32's begins as UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_STARTS = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_WESTERN = ("iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252", "us-ascii", "ascii")
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,1000}?\sencoding\s*=\s*["']([\w.:-]{1,60})["']""")
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([\w.:-]{1,60})""", re.I)
_BEYOND_ASCII = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")


def in_utf8(body: bytes, content_type: str | None) -> tuple[bytes, str | None, int]:
    """*body* as UTF-8 and a content type that says so, if we can tell its code; else the body, and
    the content type to judge it by.  The number is that of the characters that were broken."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return _decoded(body.removeprefix(mark), name) or (body, content_type, 0)
    for start, name in _STARTS:
        if body.startswith(start):
            return _decoded(body, name) or (body, content_type, 0)
    declared = _name(_DECLARED.match(body[:2_000]))
    if declared in ("", "utf-8", "utf8", *_WESTERN):
        few = BAD_SHARE if declared not in _WESTERN else 0
        found = _decoded(body, "utf-8", few)
        if found:
            return found
    said = _name(_CHARSET.search(content_type or ""))
    return body, XML if declared and said in _WESTERN else content_type, 0


def _name(found: re.Match[str] | re.Match[bytes] | None) -> str:
    """The name of a code as it stands in *found*, in one spelling; "" if there is none."""
    if found is None:
        return ""
    name = found[1]
    plain = name.decode("ascii", "replace") if isinstance(name, bytes) else name
    return plain.lower().replace("_", "-")


def _decoded(body: bytes, name: str, bad_share: float = 0) -> tuple[bytes, str, int] | None:
    """*body* from code *name* to UTF-8; None if more of it is broken than *bad_share* allows."""
    try:
        text = body.decode(name)
    except UnicodeError:
        if not bad_share:
            return None
    else:
        return body if name == "utf-8" else text.encode(), UTF8, 0
    text = body.decode(name, "replace")
    broken = text.count("\ufffd")
    good = sum(len(each) for each in _BEYOND_ASCII.findall(body)) / 2
    return (text.encode(), UTF8, broken) if broken <= good * bad_share else None
