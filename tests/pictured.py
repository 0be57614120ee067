"""The messages shown in docs/pictures: made-up news, set by the real ``render``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor import ids
from monitor.alerts.addresses import mail_url
from monitor.alerts.bundle import Gathered
from monitor.alerts.company import StoryNews
from monitor.alerts.digest import Coverage, digest_alert
from monitor.alerts.excerpt import excerpts
from monitor.alerts.facts import facts
from monitor.alerts.render import render
from monitor.model import (
    Alert,
    DeliveryKind,
    Entry,
    Hit,
    JoinedEntry,
    Label,
    Member,
    Message,
    Severity,
    SinceDigest,
    Update,
    UpdateReason,
)
from monitor.settings import Channel, Target
from tests.builders import a_delivery, a_feed, a_rule, an_alert, an_entry, minutes

BRUSSELS = ZoneInfo("Europe/Brussels")
NOON = datetime(2025, 2, 13, 11, 42, tzinfo=BRUSSELS)
MORNING = datetime(2025, 2, 14, 7, 30, tzinfo=BRUSSELS)
MAIL = mail_url(server="mx.example.org", to="anna@example.org", from_="monitor@example.org")
ADDRESSES = {"mailtos": MAIL, "slack-bot": "slack-bot://xoxb-12345678/C0123ABCD"}
Rule = tuple[str, Severity, tuple[str, ...]]  # name, severity, terms


def message(
    *alerts: Alert,
    kind: str = "mailtos",
    now: datetime = NOON,
    stories: Mapping[str, StoryNews] | None = None,
    gathered: Gathered = Gathered.STORY,
    update: bool = False,
) -> Message:
    """*alerts* as one message to a channel *kind*."""
    target = Target(name="desk", url=ADDRESSES[kind])
    channel = Channel(name="desk", targets=(target,), kind=kind)
    delivery = DeliveryKind.UPDATE if update else DeliveryKind.FIRST
    items = [(a_delivery(alert, kind=delivery), alert) for alert in alerts]
    return render(
        items,
        channel=channel,
        timezone=BRUSSELS,
        now=now,
        message_id="m" * 16,
        stories=stories,
        gathered=gathered,
    )


# --- one story


def sale(kind: str = "mailtos") -> Message:
    """A story of severity HIGH, hit by two rules and told by others too."""
    return message(*_sale(), kind=kind, stories={_SALE.id: StoryNews(members=_members())})


def update(kind: str = "mailtos") -> Message:
    """The same story, once the institution itself tells it."""
    story = StoryNews(members=_members(), updates=(_official(),), known=True)
    return message(
        *_sale(), kind=kind, now=NOON + minutes(74), stories={_SALE.id: story}, update=True
    )


def notice(kind: str = "mailtos") -> Message:
    """What the monitor says of itself."""
    alert = ids.operator_alert(
        "feed-broken:nato",
        "1",
        title="No news from NATO since 06:10",
        text="Why: it answers 403 (forbidden), five times in a row.\n"
        "What it means: rules nato-spending and ukraine-aid rely on it; nothing is lost if it"
        " returns before its 20 entries roll over.\n"
        "What to do: open https://www.nato.int/ in a browser; if that works, the site turns"
        " programs away: see content and contact in config.toml.",
        now=NOON,
    )
    return message(alert, kind=kind)


def _entry(title: str, summary: str, outlet: str, **changes: Any) -> Entry:
    feed = a_feed(name=outlet, url=f"https://{outlet.split()[0].lower()}.example/feed")
    host, slug = outlet.split()[0].lower(), "-".join(title.lower().replace("$", "").split())
    values: dict[str, Any] = {"published_at": NOON - minutes(4), "first_seen_at": NOON}
    values |= {"url": f"https://www.{host}.example/defence/2025/02/13/{slug}-00203948"}
    return an_entry(title, summary=summary, feed=feed, **(values | changes))


def _alert(entry: Entry, rule: Rule, **changes: Any) -> Alert:
    """As ``ingest`` makes it, of the places where the rule's terms stand."""
    name, severity, terms = rule
    hits = tuple(
        Hit(field=field, start=at, end=at + len(term), term=term)
        for field in ("title", "summary")
        for term in terms
        if (at := getattr(entry, field).find(term)) >= 0
    )
    values: dict[str, Any] = {
        "terms": tuple(dict.fromkeys(hit.term for hit in hits)),
        "facts": facts(entry),
    }
    values |= {"excerpts": excerpts(entry, hits), "created_at": entry.first_seen_at}
    return an_alert(entry, a_rule(name, severity=severity), **(values | changes))


_SALE = _entry(
    "US clears $1.2 billion sale of air-defence missiles to Poland",
    "The State Department has approved a possible Foreign Military Sale to Poland of 200 PATRIOT"
    " missiles for an estimated cost of $1.2 billion. Congress has 30 days to object. Officials in"
    " Warsaw said that the first deliveries were expected within a year, twice as fast as planned.",
    "Courier Defence",
)
_FMS: Rule = ("fms", Severity.HIGH, ("Foreign Military Sale",))
_POLAND: Rule = ("poland-air-defence", Severity.NORMAL, ("Poland", "PATRIOT", "deliveries"))


def _sale() -> tuple[Alert, Alert]:
    return _alert(_SALE, _FMS), _alert(_SALE, _POLAND)


def _members() -> tuple[Member, ...]:
    own = _member(_SALE.id, "Courier Defence", _SALE.title, 0)
    return (
        own,
        _member("copy", "Baltic Wire", _SALE.title, 6, copy_of=_SALE.id, containment=0.97),
        _member("copy2", "Alliance Post", _SALE.title, 9, copy_of=_SALE.id, containment=0.88),
        _member(
            "other",
            "Vistula Daily",
            "Warsaw gets its missiles sooner",
            15,
            because=("PATRIOT", "Poland", "$1.2 billion"),
            gap=minutes(15),
        ),
    )


def _member(id_: str, outlet: str, title: str, later: int, **changes: Any) -> Member:
    host = outlet.split()[0].lower()
    values: dict[str, Any] = {
        "entry_id": id_,
        "title": title,
        "outlet": outlet,
        "seen_at": NOON + minutes(later),
    }
    return Member(**(values | {"url": f"https://{host}.example/{id_}"} | changes))


def _official() -> Update:
    sentence = _entry(
        "Poland – PATRIOT missiles",
        "The Government of Poland has requested to buy 200 PATRIOT missiles.",
        "State Department",
    )
    return Update(
        number=1,
        story_id=_SALE.id,
        reason=UpdateReason.OFFICIAL,
        entry_id=sentence.id,
        created_at=NOON + minutes(73),
        title=sentence.title,
        url="https://state.example/releases/poland-patriot-missiles",
        outlet="State Department",
        published_at=NOON + minutes(70),
        excerpts=_alert(sentence, _POLAND).excerpts[-1:],
    )


# --- a digest

_ALLIES: Rule = ("nato-spending", Severity.NORMAL, ("NATO", "defence spending", "3.5 percent"))
_AID: Rule = ("ukraine-aid", Severity.HIGH, ("Ukraine", "air defence", "ammunition"))
_INDUSTRY: Rule = ("industry-orders", Severity.LOW, ("Rheinmetall", "order", "million"))


def digest(kind: str = "mailtos") -> Message:
    """Five stories by rule, and what else a reader must know in the morning."""
    alerts = [*_morning(), _frame()]
    return message(*alerts, kind=kind, now=MORNING, gathered=Gathered.DIGEST)


def _morning() -> tuple[Alert, ...]:
    night = MORNING - timedelta(hours=9)
    told = [
        (
            _AID,
            "Four allies promise air defence for Ukraine before the winter",
            "Ministers from four countries said they would send Ukraine two batteries of air"
            " defence and 60,000 rounds of ammunition by October.",
            "Alliance Post",
        ),
        (
            _AID,
            "Prague finds more ammunition for Kyiv",
            "The Czech initiative has paid for another 200,000 shells for Ukraine, the prime"
            " minister said.",
            "Baltic Wire",
        ),
        (
            _ALLIES,
            "NATO chief wants 3.5 percent on defence",
            "The secretary general asked allies to agree on defence spending of 3.5 percent at the"
            " summit in June.",
            "Courier Defence",
        ),
        (
            _ALLIES,
            "Berlin plans a fund outside the budget",
            "The coalition is discussing a fund for defence spending that NATO would fully count.",
            "Rhine Tribune",
        ),
        (
            _INDUSTRY,
            "Rheinmetall wins order for artillery shells",
            "The order is worth 260 million euros and runs for three years.",
            "Baltic Wire",
        ),
    ]
    return tuple(
        _alert(
            _entry(title, text, outlet, published_at=night + minutes(48 * number)),
            rule,
            labels=(Label.LATE,) if number == 3 else (),
        )
        for number, (rule, title, text, outlet) in enumerate(told)
    )


def _frame() -> Alert:
    ailing = a_feed(
        name="NATO",
        failing_since=MORNING - minutes(80),
        succeeded_at=MORNING - minutes(80),
        failure_detail="it answers 403 (forbidden)",
    )
    joined = [
        ("Alliance Post", "Poland to get PATRIOT missiles early", 200),
        ("Rhine Tribune", "Warschau erhält Raketen früher", 260),
    ]
    since = SinceDigest(
        at_once=_sale()[:1],
        joined=tuple(
            JoinedEntry(
                title=title, outlet=outlet, seen_at=NOON + minutes(later), story=_SALE.title
            )
            for outlet, title, later in joined
        ),
        muted=3,
    )
    coverage = Coverage(watched=42, ailing=(ailing,))
    begins = MORNING - timedelta(days=1)
    return digest_alert("desk", begins, MORNING, since, coverage, BRUSSELS)
