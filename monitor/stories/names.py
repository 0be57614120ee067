"""Names in headlines: two events of one kind in two places read alike, and are not one.  Pure.

A name is a word that a sentence writes with a capital within it.  So nothing is known of headlines
that write all words so, nor in scripts without capitals: there only countries part two entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.countries import COUNTRIES

READ = 600  # characters of a text: news says where at its beginning
PREFIX = 4  # letters that count: Ukraine and Ukrainian are one name
HEADLINE_CASE = 0.6  # share of capitals among longer words, above which they say nothing
LONG = 4  # letters of a word that headline case would write with a capital

_COUNTRY = re.compile(
    rf"\b({'|'.join(re.escape(name) for name in sorted(COUNTRIES, key=len, reverse=True))})\b"
)
_OUTLET = re.compile(r"\s[-–—|]\s[^-–—|]{1,40}$")  # "… - Reuters", as searches for news write it
_WORD = re.compile(r"[^\W\d_][^\W_]*")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPRING = ("january", "february", "march", "april", "may", "june")
_AUTUMN = ("july", "august", "september", "october", "november", "december")
_NO_NAMES = frozenset((*_DAYS, *_SPRING, *_AUTUMN, "reuters", "live", "update", "breaking", "the"))


@dataclass(frozen=True, slots=True)
class Mentions:
    """The names an entry's headline turns on, and all that its beginning mentions."""

    named: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()  # of the headline
    all_countries: frozenset[str] = frozenset()


def mentions(title: str, text: str = "") -> Mentions:
    """What *title* and the beginning of *text* name."""
    words = _WORD.findall(_OUTLET.sub("", title[:READ]))
    inner = words[1:]
    longer = [word for word in inner if len(word) >= LONG]
    shouted = sum(map(_capital, longer)) > HEADLINE_CASE * len(longer)
    named = () if shouted else filter(_capital, inner)
    everything = filter(_capital, (*words, *_WORD.findall(text[:READ])))
    countries = _countries(title[:READ])
    return Mentions(
        named=_keys(named),
        mentioned=_keys(everything),
        countries=countries,
        all_countries=countries | _countries(text[:READ]),
    )


def together(many: Iterable[Mentions]) -> Mentions:
    """Those of a story: of all its entries."""
    each = tuple(many)
    return Mentions(
        named=frozenset().union(*(one.named for one in each)),
        mentioned=frozenset().union(*(one.mentioned for one in each)),
        countries=frozenset().union(*(one.countries for one in each)),
        all_countries=frozenset().union(*(one.all_countries for one in each)),
    )


def apart(one: Mentions, other: Mentions) -> bool:
    """Whether both turn on names, or on countries, and neither mentions one of the other's."""
    by_names = one.named.isdisjoint(other.mentioned) and other.named.isdisjoint(one.mentioned)
    by_countries = one.countries.isdisjoint(other.all_countries) and other.countries.isdisjoint(
        one.all_countries
    )
    return bool(one.named and other.named and by_names) or bool(
        one.countries and other.countries and by_countries
    )


def _countries(text: str) -> frozenset[str]:
    return frozenset(COUNTRIES[name] for name in _COUNTRY.findall(text))


def _capital(word: str) -> bool:
    return word[0].isupper()


def _keys(words: Iterable[str]) -> frozenset[str]:
    folded = (word.casefold() for word in words)
    return frozenset(word[:PREFIX] for word in folded if len(word) > 1 and word not in _NO_NAMES)
