"""``feeds_from``: the OPML files that config.toml names → feeds, watched like its own."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from monitor.configsecrets import Findings, shown
from monitor.errors import ConfigError, Problem
from monitor.feeds import opml
from monitor.feeds.address import place
from monitor.settings import FeedSettings


def read_list(path: Path) -> opml.FeedList:
    """The feeds in the file at *path*; raises ConfigError."""
    try:
        with path.open("rb") as file:
            raw = file.read(opml.MAX_SIZE + 1)
    except FileNotFoundError:
        what, remedy = "there is no such file", "correct its name, or put it there"
        raise ConfigError([Problem(file=shown(path), what=what, remedy=remedy)]) from None
    except OSError as error:
        what = f"it cannot be read: {error.strerror}"
        raise ConfigError([Problem(file=shown(path), what=what)]) from None
    return opml.read(shown(path), raw)


LastGood = Callable[[str], bytes | None]  # path → the list as it could last be read


def referenced(
    paths: Sequence[str], own: Sequence[FeedSettings], findings: Findings, last_good: LastGood
) -> tuple[FeedSettings, ...]:
    """The feeds of the files at *paths* that are not among config.toml's *own*.

    Where both have a feed, config.toml decides: its name, its tags, and whether it is watched.
    A list that is broken is a mistake, or only worth a look where there is a *last_good* form.
    """
    seen, names = {place(feed.url) for feed in own}, [feed.name for feed in own]
    found: list[FeedSettings] = []
    for path in paths:
        listed = _listed(path, findings, last_good)
        if listed is None:
            continue
        findings.problems.extend(listed.left_out)
        new = [feed for feed in listed.feeds if place(feed.url) not in seen]
        for feed in opml.named_apart(new, names):
            seen.add(place(feed.url))
            names.append(feed.name)
            found.append(_settings(feed, shown(Path(path))))
    return tuple(found)


def _listed(path: str, findings: Findings, last_good: LastGood) -> opml.FeedList | None:
    try:
        return read_list(Path(path))
    except ConfigError as error:
        kept = last_good(path)
        if kept is None:
            findings.problems.extend(error.problems)
            return None
        findings.problems.extend(replace(each, warning=True) for each in error.problems)
        return opml.read(shown(Path(path)), kept)


def named_in(path: Path) -> tuple[str, ...]:
    """The OPML files that the config.toml at *path* names, whatever else is wrong with it."""
    try:
        data = tomllib.loads(path.read_text("utf-8-sig"))
        names = data["monitor"]["feeds_from"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return ()
    names = names if isinstance(names, list) else []
    return resolved(path.resolve().parent, [name for name in names if isinstance(name, str)])


def resolved(folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """*names*, relative to *folder*, as absolute paths."""
    return tuple(str(folder / Path(name).expanduser()) for name in names)


def _settings(feed: opml.Outline, file: str) -> FeedSettings:
    return FeedSettings(
        url=feed.url,
        name=feed.name,
        tags=frozenset(feed.tags),
        enabled=feed.enabled,
        reason="" if feed.enabled else f"commented out in {file}",
        source=f"{file}:{feed.line}",
    )
