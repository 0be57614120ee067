"""``deliveries retry|discard``: what a person wants tried again, or never sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from monitor.alerts.fate import when
from monitor.alerts.silence import in_force
from monitor.cli.login import login
from monitor.cli.named import named_channel
from monitor.cli.options import config_option
from monitor.cli.reading import looked_up, writing
from monitor.cli.said import Fates, nothing, title
from monitor.model import GIVEN_UP, ChannelState, DeliveryState, QueuedDelivery
from monitor.settings import Config
from monitor.store import Store
from monitor.terminal import confirm, counted, plain

ALL = 1_000_000
RETRIED = (*sorted(GIVEN_UP), DeliveryState.SILENCED, DeliveryState.DISCARDED)
ABLE = (DeliveryState.QUEUED, *RETRIED)  # what waits for its next try need not wait
DISCARDED = (DeliveryState.QUEUED, *sorted(GIVEN_UP), DeliveryState.SILENCED)
SHOWN = 10

channel_option = click.option("--channel", metavar="NAME", help="Those of one channel.")


def state_option(
    states: Iterable[DeliveryState], about: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--state``, passed on as ``states``."""
    choice = click.Choice([state.value for state in states])
    return click.option("--state", "states", multiple=True, type=choice, help=about)


@click.command("retry")
@config_option
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1)
@channel_option
@state_option(RETRIED, "With --channel; if not given, all that were given up.")
@click.pass_context
def retry(
    ctx: click.Context,
    delivery_ids: tuple[str, ...],
    channel: str | None,
    states: tuple[str, ...],
) -> None:
    """Try again to send what was given up, muted or discarded.

    It gets 14 days and all its tries anew. A channel or recipient that was stopped is tried again
    too. What goes out in one message is tried again together.
    """
    _check_use(delivery_ids, channel, states)
    settings, now = looked_up(), datetime.now(UTC)
    named_channel(settings, channel)
    wanted = tuple(map(DeliveryState, states)) or tuple(GIVEN_UP)
    with writing(settings) as store:
        chosen, missing = _chosen(store, delivery_ids, channel, wanted)
        muted = _still_muted(store, chosen, settings, now)
        free = [each for each in chosen if each.delivery.id not in muted]
        going = _with_companions(store, free, RETRIED)
        able = [each for each in going if each.delivery.state in ABLE]
        stopped = _stopped(store, able, channel)
        targets = sorted({each.delivery.target for each in able} | {s.target for s in stopped})
        changed = store.retry_deliveries([each.delivery.id for each in able], targets, now)
        left = _left(store, going, changed, settings, "not queued anew")
    for state in stopped:
        _say(f"{state.target} was stopped ({state.last_error}); it is tried again.")
    _say_all([*muted.values(), *left, *missing])
    if changed or not stopped:
        _say(f"{_are(len(changed))} queued anew.")
    else:
        _say("What waits for it goes out now; nothing else was to be queued anew.")
    if changed:
        _say("A monitor that runs takes them up within 5 seconds; else the next start does.")
    ctx.exit(1 if muted or left or missing else 0)


@click.command("discard")
@config_option
@click.argument("delivery_ids", metavar="[ID]...", nargs=-1)
@channel_option
@state_option(DISCARDED, "With --channel.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def discard(
    ctx: click.Context,
    delivery_ids: tuple[str, ...],
    channel: str | None,
    states: tuple[str, ...],
    yes: bool,
) -> None:
    """Never send what waits, or forget what was given up.

    What goes out in one message is discarded together. `deliveries retry ID` takes it back.
    """
    _check_use(delivery_ids, channel, states)
    if channel is not None and not states:
        raise click.UsageError("say which: --state queued, or what was given up: --state parked …")
    settings, now = looked_up(), datetime.now(UTC)
    named_channel(settings, channel)
    with writing(settings) as store:
        chosen, missing = _chosen(store, delivery_ids, channel, tuple(map(DeliveryState, states)))
        going = _with_companions(store, chosen, DISCARDED)
        able = [each for each in going if each.delivery.state in DISCARDED]
        if able and not yes:
            _confirm(able)
        ids = [each.delivery.id for each in able]
        changed = store.discard_deliveries(ids, f"by {login()}", now)
        left = _left(store, going, changed, settings, "not discarded")
    _say_all([*left, *missing])
    _say(f"{_are(len(changed))} discarded.")
    ctx.exit(1 if left or missing else 0)


# --- which


def _check_use(ids: Sequence[str], channel: str | None, states: Sequence[str]) -> None:
    if bool(ids) == (channel is not None):
        raise click.UsageError("name deliveries by their ids, or a --channel; one of the two")
    if states and channel is None:
        raise click.UsageError("--state goes with --channel; ids say by themselves what is meant")


def _chosen(
    store: Store, ids: Iterable[str], channel: str | None, states: Collection[DeliveryState]
) -> tuple[list[QueuedDelivery], list[str]]:
    """The deliveries that are meant, and what is to be said of ids that are none."""
    if channel is not None:
        return store.deliveries(channel=channel, states=states, limit=ALL), []
    found = {name: store.delivery(name) for name in ids}
    distinct = {each.delivery.id: each for each in found.values() if each is not None}
    return list(distinct.values()), [nothing(name) for name, each in found.items() if not each]


def _with_companions(
    store: Store, chosen: Sequence[QueuedDelivery], states: Collection[DeliveryState]
) -> list[QueuedDelivery]:
    """*chosen* and what stands in the same messages, if those were never accepted."""
    names = {each.delivery.message_id for each in chosen if each.delivery.state in states}
    inside = store.deliveries_with(name for name in names if name)
    sent = {i.delivery.message_id for i in inside if i.delivery.state is DeliveryState.ACCEPTED}
    more = [
        each
        for each in inside
        if each.delivery.state in states and each.delivery.message_id not in sent
    ]
    return list({each.delivery.id: each for each in (*chosen, *more)}.values())


def _still_muted(
    store: Store, chosen: Iterable[QueuedDelivery], settings: Config, now: datetime
) -> dict[str, str]:
    """Delivery id → what to say, where the silence that muted it is in force."""
    silences = {each.id: each for each in store.silences() if in_force(each, now)}
    said = {}
    for each in chosen:
        silence = silences.get(each.delivery.silence_id or "")
        if silence is not None and each.delivery.state is DeliveryState.SILENCED:
            until = when(silence.ends_at, settings.timezone, now)
            said[each.delivery.id] = (
                f"{each.delivery.id}: still muted until {until};"
                f" end that first with: silence end {silence.id}"
            )
    return said


def _stopped(
    store: Store, going: Iterable[QueuedDelivery], channel: str | None
) -> list[ChannelState]:
    """The stopped targets that are to be tried again."""
    targets = {each.delivery.target for each in going}
    return [
        state
        for state in store.channel_states()
        if state.stopped and (state.channel == channel or state.target in targets)
    ]


def _left(
    store: Store,
    going: Iterable[QueuedDelivery],
    changed: Collection[str],
    settings: Config,
    what: str,
) -> list[str]:
    """What to say of deliveries that could not be changed, as they are now."""
    fates = Fates(store, settings)
    now = [store.delivery(each.delivery.id) for each in going if each.delivery.id not in changed]
    return [f"{each.delivery.id}: {what}: {_it_is(each, fates)}" for each in now if each]


def _it_is(each: QueuedDelivery, fates: Fates) -> str:
    claimed = each.delivery.state is DeliveryState.CLAIMED
    return "it is being sent right now" if claimed else fates.of(each.delivery)


def _confirm(able: Sequence[QueuedDelivery]) -> None:
    for each in able[:SHOWN]:
        _say(f"  {each.delivery.target}: {title(each)}")
    if len(able) > SHOWN:
        _say(f"  and {len(able) - SHOWN} more")
    confirm(f"Discard {counted(len(able), 'delivery', 'deliveries')}?")


def _are(number: int) -> str:
    """ "2 deliveries are"."""
    text = counted(number, "delivery is", "deliveries are")
    return f"{text[0].upper()}{text[1:]}"


def _say_all(lines: Iterable[str]) -> None:
    for line in lines:
        _say(line)


def _say(text: str) -> None:
    click.echo(plain(text).plain)
