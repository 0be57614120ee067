"""``demo``: the whole walk on loopback, without network or account, in a few seconds."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import click
from rich.panel import Panel
from rich.text import Text

from monitor import logs
from monitor.config import load
from monitor.demo import outlets
from monitor.demo.sinks import MailSink, WebhookSink
from monitor.events import Event, Handed, Polled, PollKind
from monitor.model import Refused
from monitor.pipeline.session import Session, opened
from monitor.terminal import console, counted, plain

CONFIG = """\
[monitor]
database = "monitor.db"
timezone = "Europe/Brussels"
default_channels = ["desk-slack", "desk-mail"]

[poll]
first_poll    = "alert"             # the demo alerts on everything; a real start stays silent
per_host_gap  = "0s"
allow_private = ["127.0.0.0/8"]     # its outlets are on this machine
{feeds}
[[channels]]
name = "desk-slack"
url  = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?base=http://127.0.0.1:{slack}/services"

[[channels]]
name = "desk-mail"
mail = {{ server = "127.0.0.1", port = {mail}, security = "none", from = "monitor@desk.example", to = ["anna@desk.example"] }}
"""  # noqa: E501

PANEL_WIDTH = 96

FEED = """
[[feeds]]
url  = "{base}/{file}"
name = "{name}"
"""


@dataclass(frozen=True, slots=True)
class _Stage:
    """Everything on loopback, and the config.toml that binds it together."""

    mail: MailSink
    slack: WebhookSink
    config: Path


@click.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Show the whole walk in a few seconds: three made-up outlets, real alerts, nothing outside.

    Serves the news of 13 February 2025, retold, on this machine; polls it as it would poll the
    world; sends mail and Slack messages to receivers on this machine; and shows what arrived.
    """
    ctx.exit(asyncio.run(_demo()))


async def _demo() -> int:
    logs.set_up(terminal=True)
    shown = console()
    began = time.monotonic()
    failures: list[Event] = []
    async with _stage() as stage:
        shown.print(Text("Three made-up outlets, a mail server and a Slack webhook are up.\n"))
        polls = await _run(stage.config, failures)
        for poll in polls:
            shown.print(Text(f"polled {poll.feed.name}: {_brought(poll)}"))
        _show_mail(stage.mail)
        _show_slack(stage.slack)
        await _again(stage, failures)
        shown.print(
            Text(
                f"\nDone in {time.monotonic() - began:.0f} s. Nothing left this machine.\n"
                "Yours: fill in a channel in config.toml, then: python3 run_monitor.py"
            )
        )
    return 1 if failures else 0


@asynccontextmanager
async def _stage() -> AsyncIterator[_Stage]:
    with tempfile.TemporaryDirectory(prefix="monitor-demo-") as folder:
        async with outlets.serving() as base, MailSink() as mail, WebhookSink() as slack:
            rules = Path(folder) / "rules"
            rules.mkdir()
            (rules / "demo.toml").write_bytes(
                (resources.files("monitor.demo") / "rules.toml").read_bytes()
            )
            feeds = "".join(
                FEED.format(base=base, file=file, name=name)
                for name, (file, _) in outlets.OUTLETS.items()
            )
            config = Path(folder) / "config.toml"
            config.write_text(CONFIG.format(feeds=feeds, slack=slack.port, mail=mail.port))
            yield _Stage(mail, slack, config)


async def _run(config: Path, failures: list[Event]) -> list[Polled]:
    """One round of the real pipeline."""
    polls: list[Polled] = []

    def report(event: Event) -> None:
        if isinstance(event, Polled):
            polls.append(event)
        failed = isinstance(event, Polled) and event.kind is PollKind.FAILED
        if failed or (isinstance(event, Handed) and isinstance(event.result, Refused)):
            failures.append(event)

    async with opened(load(config), report=report, terminal=lambda _: None) as session:
        await session.poller.round()
        await session.deliverer.round()
        await _forget_intervals(session)
    return polls


async def _forget_intervals(session: Session) -> None:
    """Make every feed due again: switched off and on, a feed is read anew."""
    feeds, now = session.in_force.config.feeds, session.clock()
    await session.store.call(lambda store: store.sync_feeds([], now))
    await session.store.call(lambda store: store.sync_feeds(feeds, now))


async def _again(stage: _Stage, failures: list[Event]) -> None:
    """Poll a second time: the same documents bring nothing new and nothing twice."""
    before = len(stage.mail.mails), len(stage.slack.posted)
    polls = await _run(stage.config, failures)
    repeats = len(stage.mail.mails) - before[0] + len(stage.slack.posted) - before[1]
    new = sum(poll.new for poll in polls)
    console().print(
        Text(f"\nPolled again: {counted(new, 'new entry', 'new entries')}, {repeats} messages.")
    )


def _brought(poll: Polled) -> str:
    if poll.kind is PollKind.FAILED:
        return poll.detail
    rules = sorted({alert.rule_name for alert in poll.alerts})
    fired = f", rules that fired: {', '.join(rules)}" if rules else ""
    return f"{counted(poll.new, 'entry', 'entries')}{fired}"


def _show_mail(sink: MailSink) -> None:
    for mail in sink.mails:
        subject = str(mail.message["subject"])
        text = plain(f"Subject: {subject}\n\n{mail.text().strip()}")
        _show_panel(text, "mail to anna@desk.example")


def _show_slack(sink: WebhookSink) -> None:
    for posted in sink.posted[:2]:
        payload = posted.json
        shown = [payload.get("text") or ""]
        shown += [f"{a.get('title', '')}\n{a.get('text', '')}" for a in payload["attachments"]]
        _show_panel(plain("\n".join(shown).strip()), "Slack")
    more = len(sink.posted) - 2
    if more > 0:
        console().print(Text(f"… and {counted(more, 'more Slack message')}, the same stories"))


def _show_panel(text: Text, title: str) -> None:
    shown = console()
    width = min(shown.width, PANEL_WIDTH)
    shown.print(Panel(text, title=title, title_align="left", width=width))
