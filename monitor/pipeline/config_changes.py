"""What an edit of config.toml changes for what waits to be sent.  Pure."""

from __future__ import annotations

from monitor.settings import Channel, Config


def changed_targets(old: Config, new: Config) -> list[str]:
    """Targets with another address or secret than before: stopped ones deserve a new try."""
    before, after = _secrets(old), _secrets(new)
    return [name for name, secrets in after.items() if before.get(name) != secrets]


def _secrets(config: Config) -> dict[str, tuple[str, str]]:
    return {
        target.name: (target.url, channel.secret)
        for channel in config.channels
        for target in channel.targets
    }


def rescheduled(old: Config, new: Config) -> list[str]:
    """Channels that are told at other times than before."""
    before = {channel.name: _times(channel, old) for channel in old.channels}
    return [each.name for each in new.channels if before.get(each.name) != _times(each, new)]


def _times(channel: Channel, config: Config) -> tuple[object, ...]:
    zone = channel.timezone or config.timezone
    return zone, channel.digest, channel.quiet_hours, channel.at_once, channel.updates, channel.rate
