"""What is told, to whom, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.model.rules import Severity


class AlertKind(StrEnum):
    STORY = "story"
    OPERATOR = "operator"  # what the monitor says about itself
    DIGEST = "digest"  # what a digest says beside its stories: one for each channel and moment


class Label(StrEnum):
    """Why an alert comes at an unusual moment; shown in the message."""

    LATE = "late"  # published before the feed was watched, found after
    GAP = "gap"  # it came and went between two visits, and was found on an older page
    ARTICLE = "article"  # the entry matched only with the text of the page it links to
    EDITED = "edited"  # the entry matched only after its publisher changed it
    BACKFILL = "backfill"  # a new rule was asked to look back
    SPLIT = "split"  # a person parted it from a story that had been told already
    TEST = "test"  # a person asked for it with send-test


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A sentence with the hits in it: ``marks`` are (start, end) in ``text``."""

    field: str
    text: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One subject for people: (story, rule), or (operator condition, occurrence)."""

    id: str  # hash of the subject
    kind: AlertKind
    subject: str  # story id and rule name, or condition and occurrence
    severity: Severity
    title: str
    created_at: datetime
    # kind STORY
    story_id: str = ""
    entry_id: str = ""
    rule_name: str = ""
    rule_note: str = ""
    url: str = ""
    outlet: str = ""
    published_at: datetime | None = None
    excerpts: tuple[Excerpt, ...] = ()
    terms: tuple[str, ...] = ()  # the terms that hit, as written in the rule
    labels: tuple[Label, ...] = ()
    facts: tuple[str, ...] = ()  # of an arms-sale notice: country, amount
    first_alerted_at: datetime | None = None  # of a notice that was told months ago
    # kinds OPERATOR and DIGEST
    text: str = ""  # what it means for the reader and what to do; lines, "· " begins an item


class UpdateReason(StrEnum):
    """Why people hear again of a story they know."""

    OUTLETS = "outlets"  # many tell it by now
    OFFICIAL = "official"  # an institution itself tells it
    NEW_TERMS = "new terms"  # a rule finds words in it that the story had not had
    PUBLISHED_AGAIN = "published again"  # the same notice elsewhere, perhaps months later


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a joining entry adds to a story that was alerted."""

    number: int  # derived; the ``sequence`` of its deliveries
    story_id: str
    reason: UpdateReason
    entry_id: str
    created_at: datetime
    title: str
    url: str
    outlet: str
    published_at: datetime | None = None
    rule_name: str = ""  # NEW_TERMS: whose terms
    terms: tuple[str, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    outlets: int = 0  # that tell the story, this one included
    first_alerted_at: datetime | None = None  # PUBLISHED_AGAIN: when people heard of it


class DeliveryKind(StrEnum):
    FIRST = "first"
    UPDATE = "update"
    NOTICE = "notice"


class DeliveryState(StrEnum):
    QUEUED = "queued"  # due at ``due_at``; also after a failed try
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REFUSED = "refused"  # for good: the channel or target says no
    PARKED = "parked"  # five ambiguous or poisoned tries
    EXPIRED = "expired"  # 14 days old
    DISCARDED = "discarded"  # by a person
    SILENCED = "silenced"


WAITING = frozenset({DeliveryState.QUEUED, DeliveryState.CLAIMED})


GIVEN_UP = frozenset({DeliveryState.REFUSED, DeliveryState.PARKED, DeliveryState.EXPIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Alert × target × kind × sequence: one row of the outbox."""

    id: str  # hash of the four
    alert_id: str
    channel: str
    target: str  # one recipient of the channel; see settings.Target
    kind: DeliveryKind = DeliveryKind.FIRST
    sequence: int = 0
    state: DeliveryState = DeliveryState.QUEUED
    due_at: datetime
    created_at: datetime
    attempts: int = 0
    ambiguous: int = 0  # attempts that ended without an answer
    message_id: str | None = None  # set by the first claim; retries send the same message
    claim: int = 0
    last_error: str = ""
    silence_id: str | None = None  # of what muted it
    instead_of: str = ""  # channel that takes nothing, whose fallback this one is
    settled_at: datetime | None = None  # when it was sent, given up, discarded or muted


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes to one target at once, frozen by its first claim."""

    id: str
    channel: str
    target: str
    subject: str  # one line
    text: str
    html: str = ""  # mail
    alert_ids: tuple[str, ...]
    delivery_ids: tuple[str, ...]
    headers: tuple[tuple[str, str], ...] = ()  # mail: References, X-Monitor-Alert
    payload: str = ""  # JSON: what a webhook of ours is sent, or the blocks of a Slack bot
    story_id: str = ""  # the one it is about; "" for digests and what the monitor says of itself
    created_at: datetime
    attempts: int = 0
    ambiguous: int = 0


class Scope(StrEnum):
    """What a refusal stops."""

    MESSAGE = "message"
    TARGET = "target"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The first hop has taken the message."""

    thread: str = ""  # what later messages of the story are answers to, where channels have that


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The first hop has not, or did not say so."""

    detail: str  # one line, no secrets
    retryable: bool = True
    ambiguous: bool = False  # no answer: it may have arrived
    scope: Scope = Scope.MESSAGE
    retry_after: timedelta | None = None


SendResult = Accepted | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Alerts that nobody should get until ``ends_at``: those that fit all that is named.

    Of several rules, stories … one is enough; what is empty fits everything.
    """

    id: str
    rules: frozenset[str] = frozenset()
    stories: frozenset[str] = frozenset()  # ids
    feeds: frozenset[str] = frozenset()  # names
    severities: frozenset[Severity] = frozenset()
    texts: tuple[str, ...] = ()  # words that stand in the headline or the sentences
    created_at: datetime
    ends_at: datetime
    reason: str
    owner: str
    ended_at: datetime | None = None  # it is over, and its owner was told
    muted: int = 0  # alerts it has kept back
