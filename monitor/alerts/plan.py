"""Due deliveries of a channel → messages to send now, and what waits or is muted.  Pure.

In this order: muted by a silence; held for the digest or by quiet hours; one at a time while the
target fails; what it missed as one, late; and in a flood, what is above its rate as one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.alerts import rate
from monitor.alerts.bundle import Bundle, Gathered, about, frames
from monitor.alerts.hold import Hold, hold
from monitor.alerts.rate import Allowance, Bucket
from monitor.alerts.retry import MOST_AMBIGUOUS
from monitor.alerts.silence import muting
from monitor.model import ChannelState, Delivery, DeliveryState, Label, QueuedDelivery, Silence
from monitor.settings import Channel

TRIES_EACH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What holds for a channel while its due deliveries are looked at."""

    zone: ZoneInfo  # the monitor's; the channel may have its own
    states: Mapping[str, ChannelState] = field(default_factory=dict)  # by target
    silences: Sequence[Silence] = ()
    buckets: Mapping[str, Bucket] = field(default_factory=dict)  # by target
    most: int = 100  # stories one message of the channel holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """*bundles* in the order to send them; *rows* are not sent now, in their new state."""

    bundles: tuple[Bundle, ...] = ()
    rows: tuple[Delivery, ...] = ()
    buckets: Mapping[str, Bucket] = field(default_factory=dict)


def plan(
    claimed: Sequence[QueuedDelivery], channel: Channel, given: Circumstances, now: datetime
) -> Plan:
    """What becomes of all that was *claimed* for *channel* at *now*."""
    targets: dict[str, list[QueuedDelivery]] = {}
    for queued in claimed:
        targets.setdefault(queued.delivery.target, []).append(queued)
    buckets = dict(given.buckets)
    bundles: list[Bundle] = []
    rows: list[Delivery] = []
    for target, queue in targets.items():
        part = _for_target(queue, channel, given, now)
        bundles += part.bundles
        rows += part.rows
        buckets |= {target: part.buckets[target]} if target in part.buckets else {}
    return Plan(bundles=tuple(sorted(bundles, key=_urgency)), rows=tuple(rows), buckets=buckets)


def _urgency(bundle: Bundle) -> tuple[int, datetime]:
    return -bundle.severity, min(each.delivery.created_at for each in bundle.queued)


def _for_target(
    queue: Sequence[QueuedDelivery], channel: Channel, given: Circumstances, now: datetime
) -> Plan:
    rows, heard = _without_muted(queue, given.silences, now)
    holds = [(each, hold(each, channel, given.zone, now)) for each in heard]
    rows += [_back(each.delivery, h.until) for each, h in holds if h.until is not None]
    due = [(each, held) for each, held in holds if held.until is None]
    if not due:
        return Plan(rows=tuple(rows))
    target = due[0][0].delivery.target
    state = given.states.get(target)
    bundles, single = _gathered(due, state, given.most)
    if state is not None and state.failures:
        return _probing([*bundles, *single], rows, now)
    bucket = given.buckets.get(target) or rate.full(channel.rate, now)
    allowance = rate.allow(len(single), bucket, channel.rate, now, given.most)
    sent, waiting = _rationed(single, allowance, given.most)
    later = allowance.until or now + timedelta(seconds=1 / channel.rate.a_second)
    rows += [_back(each.delivery, later) for bundle in waiting for each in bundle.queued]
    return Plan(bundles=(*bundles, *sent), rows=tuple(rows), buckets={target: allowance.bucket})


# --- muted


def _without_muted(
    queue: Sequence[QueuedDelivery], silences: Sequence[Silence], now: datetime
) -> tuple[list[Delivery], list[QueuedDelivery]]:
    """Rows that are muted, and the others.  A frozen message is muted whole or not at all."""
    by_id = {each.delivery.id: muting(each.alert, each.update, silences, now) for each in queue}
    heard_messages = {
        each.delivery.message_id for each in queue if by_id[each.delivery.id] is None
    } - {None}
    muted: list[Delivery] = []
    heard: list[QueuedDelivery] = []
    for each in queue:
        silence = by_id[each.delivery.id]
        if silence is None or each.delivery.message_id in heard_messages:
            heard.append(each)
            continue
        muted.append(replace(each.delivery, state=DeliveryState.SILENCED, silence_id=silence.id))
    return muted, heard


def _back(row: Delivery, until: datetime) -> Delivery:
    return replace(row, state=DeliveryState.QUEUED, due_at=until)


# --- what goes together

Due = tuple[QueuedDelivery, Hold]


def _gathered(
    due: Sequence[Due], state: ChannelState | None, most: int
) -> tuple[list[Bundle], list[Bundle]]:
    """Messages that are settled, and single new ones, which a flood may yet put together."""
    frozen = _grouped([each for each, _ in due if each.message], lambda q: q.message.id)  # type: ignore[union-attr]
    outage = _outage(state)
    kinds: dict[Gathered, list[QueuedDelivery]] = {}
    for each, held in due:
        if each.message is None:
            kinds.setdefault(_kind(each, held, outage), []).append(each)
    bundles = [Bundle(queued=tuple(group)) for group in frozen]
    single = [
        Bundle(queued=_ranked(group)) for group in _grouped(kinds.pop(Gathered.STORY, []), about)
    ]
    for kind, queue in kinds.items():
        parts = list(_parts(queue, kind, most, outage if kind is Gathered.LATE else None))
        lonely = len(parts) == 1 and kind is not Gathered.DIGEST and len(_stories(queue)) == 1
        single += [replace(parts[0], gathered=Gathered.STORY)] if lonely else []
        bundles += [] if lonely else parts
    return bundles, single


def _outage(state: ChannelState | None) -> tuple[datetime, datetime] | None:
    if state is None or state.outage_from is None or state.outage_until is None:
        return None
    return state.outage_from, state.outage_until


def _kind(queued: QueuedDelivery, held: Hold, outage: tuple[datetime, datetime] | None) -> Gathered:
    if held.digest:
        return Gathered.DIGEST
    if outage is not None and queued.delivery.created_at < outage[1]:
        return Gathered.LATE
    if held.quiet:
        return Gathered.QUIET
    return Gathered.GAP if Label.GAP in queued.alert.labels else Gathered.STORY


def _parts(
    queue: Sequence[QueuedDelivery],
    kind: Gathered,
    most: int,
    outage: tuple[datetime, datetime] | None = None,
) -> Iterator[Bundle]:
    """*queue* in messages of at most *most* stories, the severe first; frames go with the last."""
    stories = sorted(
        (_ranked(group) for group in _grouped([q for q in queue if not frames(q)], about)),
        key=lambda group: -group[0].alert.severity,
    )
    last = tuple(each for each in queue if frames(each))
    starts = range(0, len(stories), most) or range(1)
    for start in starts:
        rows = tuple(each for group in stories[start : start + most] for each in group)
        ending = last if start + most >= len(stories) else ()
        yield Bundle(queued=rows + ending, gathered=kind, outage=outage)


def _stories(queue: Sequence[QueuedDelivery]) -> set[str]:
    return {about(each) for each in queue}


def _ranked(group: Sequence[QueuedDelivery]) -> tuple[QueuedDelivery, ...]:
    return tuple(sorted(group, key=lambda each: (-each.alert.severity, each.alert.rule_name)))


def _grouped(
    queue: Sequence[QueuedDelivery], key: Callable[[QueuedDelivery], str]
) -> list[list[QueuedDelivery]]:
    groups: dict[str, list[QueuedDelivery]] = {}
    for each in queue:
        groups.setdefault(key(each), []).append(each)
    return list(groups.values())


# --- how much of it


def _probing(bundles: Sequence[Bundle], rows: Sequence[Delivery], now: datetime) -> Plan:
    """A target that fails is asked by one message; what it says decides on the others."""
    first = _probe(bundles)
    back = [_back(each.delivery, now) for b in bundles if b is not first for each in b.queued]
    return Plan(bundles=(first,), rows=(*rows, *back))


def _probe(bundles: Sequence[Bundle]) -> Bundle:
    """The message to ask a failing target with.

    Mostly one that was tried already, the least tried of them: what is not frozen can go together
    once the outage is over.  The more have been tried in vain, the longer until a new one is, in
    case it is they that fail and not the target.  Nothing is brought to its last ambiguous try
    while there is another.
    """
    tried = [each for each in bundles if each.message and not _worn(each)]
    new = [each for each in bundles if not each.message]
    least = min(tried, key=_attempts, default=None)
    if least is not None and (not new or _attempts(least) < TRIES_EACH * len(tried)):
        return least
    return min(new, key=_urgency) if new else min(bundles, key=_attempts)


def _attempts(bundle: Bundle) -> int:
    return bundle.queued[0].delivery.attempts


def _worn(bundle: Bundle) -> bool:
    return bundle.queued[0].delivery.ambiguous >= MOST_AMBIGUOUS - 1


def _rationed(
    single: Sequence[Bundle], allowance: Allowance, most: int
) -> tuple[list[Bundle], list[Bundle]]:
    """Single messages and perhaps one digest that may go now, and what has to wait."""
    ordered = sorted(single, key=_urgency)
    now, rest = ordered[: allowance.singly], ordered[allowance.singly :]
    if not allowance.rest or not rest:
        return now, rest
    together, waiting = rest[:most], rest[most:]
    queue = tuple(each for bundle in together for each in bundle.queued)
    return [*now, Bundle(queued=queue, gathered=Gathered.FLOOD)], waiting
