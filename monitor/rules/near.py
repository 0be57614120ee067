"""NEAR and BEFORE: the pairs of two parts' spans that stand near each other.  Pure."""

from __future__ import annotations

from bisect import bisect_left

from monitor.rules.scan import SHIFT
from monitor.rules.scanned import Evaluate, Scanned, Span, Spans


def near(left: Evaluate, right: Evaluate, distance: int | None, *, ordered: bool) -> Evaluate:
    """Where both are, at most *distance* words apart; None: in one sentence."""

    def evaluate(scanned: Scanned) -> Spans | None:
        lefts = left(scanned)
        if not lefts:
            return None
        rights = right(scanned)
        if not rights:
            return None
        if distance is None:
            return _same_sentence(scanned, lefts, rights)
        return _pairs(lefts, rights, distance, ordered=ordered)

    return evaluate


def _pairs(lefts: Spans, rights: Spans, distance: int, *, ordered: bool) -> Spans | None:
    """Each span with the nearest one of the other side, if at most *distance* words are between.

    Linear in the number of spans, whatever a text repeats.
    """
    found = _nearest(lefts, rights, distance, before=not ordered)
    found |= _nearest(rights, lefts, distance, before=True, after=not ordered)
    return sorted(found) or None


def _nearest(
    ones: Spans, others: Spans, distance: int, *, before: bool, after: bool = True
) -> set[Span]:
    """For each of *ones* the nearest of *others* that follows it and that precedes it."""
    found: set[Span] = set()
    by_start = sorted(others)
    by_end = sorted(others, key=lambda span: (span[1], span[0]))
    starts, ends = [span[0] for span in by_start], [span[1] for span in by_end]
    for one in ones:
        if after:
            at = bisect_left(starts, one[1])
            if at < len(starts) and starts[at] - one[1] <= distance:
                found.add(_pair(one, by_start[at]))
        if before:
            at = bisect_left(ends, one[0] + 1) - 1
            if at >= 0 and one[0] - ends[at] <= distance:
                found.add(_pair(by_end[at], one))
    return found


def _pair(first: Span, second: Span) -> Span:
    return first[0], second[1], tuple(sorted({*first[2], *second[2]}))


def _same_sentence(scanned: Scanned, lefts: Spans, rights: Spans) -> Spans | None:
    """Spans of both sides that stand in one sentence, joined; sentence by sentence."""
    by_sentence: dict[tuple[int, int], tuple[Spans, Spans]] = {}
    for side, spans in enumerate((lefts, rights)):
        for span in spans:
            place = _sentence(scanned, span)
            by_sentence.setdefault(place, ([], []))[side].append(span)
    found = []
    for ones, others in by_sentence.values():
        apart = any(one[1] <= other[0] or other[1] <= one[0] for one in ones for other in others)
        if apart:
            both = sorted({*ones, *others})
            leaves = tuple(sorted({leaf for span in both for leaf in span[2]}))
            found.append((both[0][0], max(span[1] for span in both), leaves))
    return sorted(found) or None


def _sentence(scanned: Scanned, span: Span) -> tuple[int, int]:
    number = span[0] >> SHIFT
    return number, scanned.words[number].sentence(span[0] & ((1 << SHIFT) - 1))
