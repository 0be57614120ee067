"""Conditions that are allowed but seldom meant: too wide, or at odds with themselves.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from monitor.rules.match import walk
from monitor.rules.tree import (
    And,
    AtLeast,
    Everything,
    Near,
    Node,
    Not,
    Or,
    Regex,
    Scope,
    Score,
    Term,
)

Finding = tuple[str, str, str]  # (key of the rule, what, remedy)

SHORT_WILDCARD = 3  # letters; fewer are an error already
# Acronyms of politics and defence that are also words. Two and three letters need capitals, so
# only headlines wholly in capitals mislead them; from four on "Safe" counts as SAFE. Our choice.
_ENGLISH = """
    ACE ACT AID AIDS AIM AIR ALL ARE ARM ARMS ART ASK BAR BAT BIT CAN CAP CARE CAT DART DID DO EAR
    END FAR FAST FIT FOR GAS GO HE HEAT HER HIM HIT HOT ICE IN IS IT LAW MAD MAN MAP MAST MAY ME
    MEN MINE NATION NET NEW NOT NOW OIL OR OUR OUT PAC PACE PACT PAN PIN RAM RAND RAT SAFE SAID
    SALT SAM SEAL SEAT SET SHE SHIELD SO STAR START SUM TAN TANK TAP TEN TIP TO TOP UP US WAR WE
    WEST WHO WIN
"""
ENGLISH = frozenset(_ENGLISH.split())


def findings(node: Node) -> Iterator[Finding]:
    """All of a rule with the condition *node*."""
    if not _needs(node, lambda leaf: not isinstance(leaf, Everything)):
        yield (
            "",
            "it only says what must not be there, so it fires on nearly every story",
            "say what to look for, with any, all or query",
        )
    elif _has_regex(node) and not _needs(node, lambda leaf: isinstance(leaf, Term)):
        yield (
            "query",
            "the regular expression runs on every story: no word has to stand beside it",
            "add one with AND, for instance: /DDG-\\d+/ AND (ship OR navy)",
        )
    yield from _contradictions(node)
    for term in _sufficient(node):
        if not isinstance(term, Term):
            continue
        if term.text in ENGLISH and not term.exact:
            yield (
                "",
                f'"{term.text}" is also an English word, and alone makes the rule fire',
                f"give it company: {term.text} NEAR/10 (…), or use its full name",
            )
        if _is_short_wildcard(term.text):
            yield (
                "",
                f'"{term.text}" fits many words that are not meant, and alone makes the rule fire',
                "write more letters, or the words themselves",
            )


def _needs(node: Node, wanted: Callable[[Node], bool]) -> bool:
    """Whether *node* can be true only if a leaf that is *wanted* is."""
    match node:
        case Or():
            return all(_needs(part, wanted) for part in node.parts)
        case And() | Near():
            return any(_needs(part, wanted) for part in parts_of(node))
        case AtLeast() | Scope():
            return _needs(node.part, wanted)
        case Not():
            return isinstance(node.part, Not) and _needs(node.part.part, wanted)
        case Score():
            return all(_needs(part, wanted) for part, points in node.weights if points > 0)
        case _:
            return wanted(node)


def _has_regex(node: Node) -> bool:
    return any(isinstance(part, Regex) for part in walk(node))


def _is_short_wildcard(text: str) -> bool:
    letters = sum(char.isalnum() for char in text)
    return "*" in text and " " not in text and letters <= SHORT_WILDCARD


def _contradictions(node: Node) -> Iterator[Finding]:
    """``none`` or NOT of a term that must, or may, be what makes the rule true."""
    told: set[str] = set()
    for part in walk(node):
        if not isinstance(part, And):
            continue
        excluded = {
            t for each in part.parts if isinstance(each, Not) for t in plain_terms(each.part)
        }
        asked = {t for each in part.parts for t in _asked_for(each)}
        for term in sorted(asked, key=lambda each: each.text):
            other = next((each for each in excluded if _covers(each, term)), None)
            if other is not None and term.text not in told:
                told.add(term.text)
                yield (
                    "none",
                    f'"{other.text}" is excluded, so "{term.text}" can never make the rule fire',
                    "take it out of one of the two",
                )


def plain_terms(node: Node) -> Iterator[Term]:
    """The terms of a plain list: each alone makes it true."""
    if isinstance(node, Term):
        yield node
    elif isinstance(node, Or):
        for part in node.parts:
            yield from plain_terms(part)


def _asked_for(node: Node) -> Iterator[Term]:
    if isinstance(node, Term):
        yield node
    elif not isinstance(node, Not | Score):
        for part in parts_of(node):
            yield from _asked_for(part)


def _covers(excluded: Term, asked: Term) -> bool:
    """Wherever *asked* stands, *excluded* does; only the certain cases."""
    if excluded == asked:
        return True
    return not excluded.exact and excluded.text == asked.text.lower()


def _sufficient(node: Node) -> Iterator[Node]:
    """The leaves that make *node* true all alone."""
    match node:
        case Or():
            for part in node.parts:
                yield from _sufficient(part)
        case Scope():
            yield from _sufficient(node.part)
        case And() if len(positive := [p for p in node.parts if not isinstance(p, Not)]) == 1:
            yield from _sufficient(positive[0])
        case _:
            yield node


def parts_of(node: Node) -> Sequence[Node]:
    """The nodes right below *node*."""
    match node:
        case Or() | And():
            return node.parts
        case Not() | AtLeast() | Scope():
            return (node.part,)
        case Near():
            return (node.left, node.right)
        case Score():
            return [part for part, _ in node.weights]
        case _:
            return ()
