"""The sentences that show why a rule matched, with the hits marked.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.model import Entry, Excerpt, Hit
from monitor.text import sentences

MAX_LENGTH = 300  # characters of one excerpt, without the ellipses
BODY = ("summary", "content")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passage:
    """A stretch of a field and the hits in it; offsets are the field's."""

    field: str
    span: Span
    hits: tuple[Hit, ...]


def excerpts(entry: Entry, hits: Sequence[Hit], *, limit: int = 3) -> tuple[Excerpt, ...]:
    """At most *limit* sentences of *entry* with *hits* in them: the title first, then the body.

    Of the body, those sentences are taken that show terms not shown before, in the order of the
    text.  Hits on labels (feed, tag, author …) have no sentence and give nothing.
    """
    title = _title(entry, hits)
    body = _unlike(entry, [p for field in BODY for p in _passages(entry, field, hits)])
    shown = {hit.term for passage in title for hit in passage.hits}
    chosen = [*title, *_telling(body, limit - len(title), shown)]
    return tuple(_excerpt(getattr(entry, passage.field), passage) for passage in chosen)


def _unlike(entry: Entry, passages: Iterable[_Passage]) -> list[_Passage]:
    """*passages* without repeats: a content often begins with its summary."""
    distinct: dict[str, _Passage] = {}
    for passage in passages:
        start, end = passage.span
        text = " ".join(getattr(entry, passage.field)[start:end].split())
        distinct.setdefault(text, passage)
    return list(distinct.values())


def _title(entry: Entry, hits: Sequence[Hit]) -> list[_Passage]:
    inside = tuple(sorted(hit for hit in hits if hit.field == "title"))
    return [_Passage(field="title", span=(0, len(entry.title)), hits=inside)] if inside else []


def _passages(entry: Entry, field: str, hits: Iterable[Hit]) -> list[_Passage]:
    """The sentences of one field that hold hits; a hit over a border joins its sentences."""
    inside = sorted(hit for hit in hits if hit.field == field)
    if not inside:
        return []
    spans = sentences(getattr(entry, field))
    found: list[_Passage] = []
    for hit in inside:
        span = _around(spans, hit)
        if found and span[0] < found[-1].span[1]:
            last = found.pop()
            span = (last.span[0], max(last.span[1], span[1]))
            found.append(_Passage(field=field, span=span, hits=(*last.hits, hit)))
        else:
            found.append(_Passage(field=field, span=span, hits=(hit,)))
    return found


def _around(spans: Iterable[Span], hit: Hit) -> Span:
    """From the start of the sentence *hit* begins in to the end of the one it ends in."""
    touched = [span for span in spans if span[0] < hit.end and hit.start < span[1]]
    starts, ends = [hit.start], [hit.end]
    return (
        min(starts + [start for start, _ in touched]),
        max(ends + [end for _, end in touched]),
    )


def _telling(passages: Sequence[_Passage], limit: int, shown: set[str]) -> list[_Passage]:
    """*limit* passages that add most to the terms already *shown*, in their own order."""
    left = list(enumerate(passages))
    chosen: list[tuple[int, _Passage]] = []
    shown = set(shown)
    while left and len(chosen) < limit:
        best = max(left, key=lambda item: (len(_terms(item[1]) - shown), -item[0]))
        left.remove(best)
        chosen.append(best)
        shown |= _terms(best[1])
    return [passage for _, passage in sorted(chosen, key=lambda item: item[0])]


def _terms(passage: _Passage) -> set[str]:
    return {hit.term for hit in passage.hits}


def _excerpt(text: str, passage: _Passage) -> Excerpt:
    start, end = _window(text, passage)
    before = "… " if start > passage.span[0] else ""
    after = " …" if end < passage.span[1] else ""
    squeezed, place = _squeezed(text[start:end])
    shift = len(before)
    marks = _merged(
        (place[max(hit.start, start) - start], place[min(hit.end, end) - start])
        for hit in passage.hits
        if hit.start < end and start < hit.end
    )
    return Excerpt(
        field=passage.field,
        text=before + squeezed + after,
        marks=tuple((a + shift, b + shift) for a, b in marks if a < b),
    )


def _window(text: str, passage: _Passage) -> Span:
    """The part of a long passage to show: as many hits as fit from the first, in the middle."""
    start, end = passage.span
    if end - start <= MAX_LENGTH:
        return start, end
    first = passage.hits[0]
    last = max(
        (hit.end for hit in passage.hits if hit.end - first.start <= MAX_LENGTH),
        default=first.start + MAX_LENGTH,
    )
    room = (MAX_LENGTH - (last - first.start)) // 2
    low = max(start, min(first.start - room, end - MAX_LENGTH))
    high = min(end, low + MAX_LENGTH)
    return _word_start(text, low, first.start) if low > start else low, (
        _word_end(text, high, last) if high < end else high
    )


def _word_start(text: str, low: int, limit: int) -> int:
    """The first word border at or after *low*, not beyond *limit*."""
    space = text.find(" ", max(low - 1, 0), limit)
    return space + 1 if space >= 0 else low


def _word_end(text: str, high: int, limit: int) -> int:
    """The last word border at or before *high*, not before *limit*."""
    space = text.rfind(" ", limit, high + 1)
    return space if space >= 0 else high


def _squeezed(text: str) -> tuple[str, list[int]]:
    """*text* with white space collapsed, and for each old offset (end included) the new one."""
    out: list[str] = []
    place: list[int] = []
    for char in text:
        place.append(len(out))
        if not char.isspace():
            out.append(char)
        elif out and out[-1] != " ":
            out.append(" ")
    squeezed = "".join(out).rstrip(" ")
    place.append(len(squeezed))
    return squeezed, [min(index, len(squeezed)) for index in place]


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
