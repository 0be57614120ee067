"""The channels that the monitor sends to itself, without apprise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from monitor.alerts import slackbot, webhook
from monitor.alerts.posting import Poster
from monitor.model import Message, SendResult
from monitor.settings import Channel, Target

KINDS = frozenset((slackbot.KIND, webhook.KIND))


async def send(
    poster: Poster,
    message: Message,
    target: Target,
    channel: Channel,
    *,
    thread: str,
    clock: Callable[[], datetime],
) -> SendResult:
    """Try once; *thread*: what the message is an answer to, where the channel has threads."""
    if channel.kind == slackbot.KIND:
        return await _to_slack(poster, message, target.url, thread, clock)
    post = webhook.post(target.url, message, channel.secret, clock())
    return webhook.judged(await poster.post(post), clock())


async def _to_slack(
    poster: Poster, message: Message, url: str, thread: str, clock: Callable[[], datetime]
) -> SendResult:
    """What Slack refuses for its form alone is put more simply, rather than lost."""
    form: slackbot.Form | None = slackbot.Form(thread=thread)
    while form is not None:
        tried = form
        exchange = await poster.post(slackbot.post(url, message, tried))
        form = slackbot.simpler(exchange, tried)
    return slackbot.judged(exchange, tried, clock())
