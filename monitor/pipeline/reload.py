"""Files → rules and configuration in force.  A bad edit changes nothing and is told once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from monitor import config as configuration
from monitor import logs
from monitor.confidential import secrets_of
from monitor.crashpoint import crashpoint
from monitor.errors import ConfigError, Problem
from monitor.events import Reloaded
from monitor.feeds.fetch import Fetcher
from monitor.model import Alert
from monitor.pipeline import lists, notices, rule_sets, unusable
from monitor.pipeline.config_changes import changed_targets, rescheduled
from monitor.pipeline.config_files import ConfigFiles
from monitor.pipeline.in_force import joint_problems
from monitor.pipeline.noted import not_live_note
from monitor.pipeline.shared import Shared
from monitor.pipeline.templating import Templating
from monitor.pipeline.upkeep import Upkeep
from monitor.rules.load import RuleSet, changes
from monitor.rules.trial import backtest
from monitor.rules.watch import Watcher, read_stamps
from monitor.settings import Config
from monitor.store import Store

LOOK_BACK = timedelta(days=7)  # what an edited rule would have brought
LOOK_BACK_ENTRIES = 5_000


class Reloader:
    """Looks at the files again and again, and swaps what is in force."""

    def __init__(
        self, shared: Shared, *, fetcher: Fetcher, upkeep: Upkeep, templating: Templating
    ) -> None:
        self._in_force = shared.in_force
        self._store = shared.store
        self._clock = shared.clock
        self._report = shared.report
        self._fetcher = fetcher
        self._upkeep = upkeep
        self._templating = templating
        self._rules_watch, self._config_watch = Watcher(), Watcher()
        self._config_files = ConfigFiles(shared.in_force.config.path)
        # What was in force before that for which not all has been done yet.
        self._replaced: RuleSet | None = None
        self._replaced_config: Config | None = None
        # What was read last must be what is in force: a signal may come while files are read.
        self._one_at_a_time = asyncio.Lock()

    async def started(self, problems: Sequence[Problem]) -> None:
        """Take the files as they are now for seen; tell what was wrong with them at the start."""
        config = self._in_force.config
        for what in ("rules", "config"):
            await self._store.call(partial(_forget_problems, what))
        self._rules_watch.accept(await asyncio.to_thread(read_stamps, config.rules))
        self._config_watch.accept(await asyncio.to_thread(self._config_files.stamps))
        if problems:
            await self._refuse("rules", problems)
        elif await unusable.since("rules", self._store) is not None:
            await self.reload_rules()
        broken_lists = await lists.keep(config, self._store)
        if broken_lists:
            await self._refuse("config", broken_lists)
        else:
            await self._repaired("config")
        await self._templating.started()

    async def check(self) -> None:
        """Take over what has changed and is stable."""
        async with self._one_at_a_time:
            folder = self._in_force.config.rules
            edited = self._config_watch.observe(await asyncio.to_thread(self._config_files.stamps))
            others = self._rules_watch.observe(await asyncio.to_thread(read_stamps, folder))
            with self._rules_watch.taking_over() if others else nullcontext():
                # What the rules stood against may agree with them now.
                if edited or (others and await unusable.since("config", self._store)):
                    await self._reload_config()
                if others:
                    await self.reload_rules()
            await self._templating.check()

    async def reload(self) -> None:
        """Read everything again, changed or not (SIGHUP)."""
        async with self._one_at_a_time:
            with self._rules_watch.taking_over():  # if config.toml cannot be, they are not either
                await self._reload_config()
                await self.reload_rules()
            await self._templating.reload()

    async def _reload_config(self) -> None:
        """An edit that came while the database was busy must not be forgotten."""
        with self._config_watch.taking_over():
            await self.reload_config()

    # --- rules

    async def reload_rules(self) -> None:
        """The rule files, if all of them are good; else nothing changes and it is told."""
        try:
            rules = await rule_sets.read(self._in_force.config, self._store)
        except ConfigError as error:
            await self._refuse("rules", error.problems)
            return
        await self._take_over(rules)

    async def _take_over(self, rules: RuleSet) -> None:
        """Each step may be done again: what a busy database has cut off begins anew."""
        now = self._clock()
        old = self._replaced = self._replaced or self._in_force.rules
        failed_since = await unusable.since("rules", self._store)
        if failed_since is None:  # else when it has looked back: a start must find what it repairs
            await rule_sets.remember(rules, self._store, now)
        crashpoint("in-reload")
        await self._store.call(partial(_forget_problems, "rules"))
        self._in_force.rules = rules
        self._in_force.rules_since = await rule_sets.in_effect_since(rules, self._store, now)
        changed = changes(old, rules)
        edited = (*changed.added, *changed.edited)
        await self._backfill(rules, edited, failed_since)
        await self._tell_owners(old, rules, edited)
        if failed_since is not None:
            await rule_sets.remember(rules, self._store, now)
            await self._repaired("rules")
        self._replaced = None
        self._report(
            Reloaded(
                what="rules",
                added=changed.added,
                edited=changed.edited,
                removed=changed.removed,
                rules=sum(each.enabled for each in rules.rules),
            )
        )

    async def _backfill(
        self, rules: RuleSet, edited: Sequence[str], failed_since: str | None
    ) -> None:
        """Edited rules look back as far as they ask, and to the first load that failed."""
        now = self._clock()
        failed = [datetime.fromisoformat(failed_since)] if failed_since else []
        since: dict[str, datetime] = {}
        for loaded in rules.rules:
            asked = [now - loaded.backfill] if loaded.backfill is not None else []
            if loaded.rule.name in edited and loaded.enabled and (asked or failed):
                since[loaded.rule.name] = min(*asked, *failed, now)
        if since:
            await self._upkeep.backfill(since)

    async def _tell_owners(self, old: RuleSet, new: RuleSet, edited: Sequence[str]) -> None:
        if not edited:
            return
        now = self._clock()
        entries = await self._store.call(
            lambda store: store.entries(since=now - LOOK_BACK, limit=LOOK_BACK_ENTRIES)
        )
        all_of_them = len(entries) < LOOK_BACK_ENTRIES
        since = f"last {LOOK_BACK.days} days" if all_of_them else f"newest {len(entries)} entries"
        result = await asyncio.to_thread(backtest, new, old, entries, edited)
        by_owner: dict[str, list[Alert]] = {}
        for loaded in new.rules:
            if loaded.rule.name in edited and loaded.enabled:
                alert = notices.live(loaded.rule.name, result, since, now, loaded.fingerprint)
                by_owner.setdefault(loaded.rule.owner, []).append(alert)
        for owner, alerts in by_owner.items():
            for alert in notices.together(alerts, now):
                await self._upkeep.tell_owner(owner, alert)

    # --- configuration

    async def reload_config(self) -> None:
        """config.toml and its OPML files, if they are good and agree with the rules.

        As with rules, what a busy database has cut off begins anew.
        """
        old = self._replaced_config or self._in_force.config
        try:
            new, rules = await self._read_config(old)
        except ConfigError as error:
            await self._refuse("config", error.problems)
            return
        logs.register_secrets(secrets_of(new))
        now, self._replaced_config = self._clock(), old
        await self._store.call(lambda store: store.sync_feeds(new.feeds, now))
        await lists.keep(new, self._store)
        secrets, times = changed_targets(old, new), rescheduled(old, new)
        await self._store.call(lambda store: store.resume(secrets))
        self._fetcher.use(new.poll, contact=new.contact, feeds=new.feeds)
        await self._store.call(partial(_forget_problems, "config"))
        self._put_in_force(new, rules)
        await self._store.call(lambda store: store.reconsider(times, now))
        if self._replaced is not None:
            await self._take_over(rules)
        if new.rules != old.rules:
            await self.reload_rules()
        await self._repaired("config")
        self._replaced_config = None
        self._report(Reloaded(what="config", rules=len(self._in_force.rules.rules)))

    async def _read_config(self, old: Config) -> tuple[Config, RuleSet]:
        """A good config.toml, and the rules it goes with: those in force, else those in the files.

        Who renames a channel edits both, one after the other.
        """
        new, _ = await asyncio.to_thread(configuration.read, Path(old.path))
        if new.database != old.database:
            raise ConfigError([_database_moved(new)])
        problems = [p for p in joint_problems(new, self._in_force.rules) if not p.warning]
        if not problems:
            return new, self._in_force.rules
        try:
            return new, await rule_sets.read(new, self._store)
        except ConfigError:
            raise ConfigError(problems) from None

    def _put_in_force(self, config: Config, rules: RuleSet) -> None:
        """Both at once: no story may be matched by the ones and routed by the other."""
        if rules is not self._in_force.rules:
            self._replaced = self._replaced or self._in_force.rules
        self._in_force.config, self._in_force.rules = config, rules

    # --- telling

    async def _refuse(self, what: str, problems: Sequence[Problem]) -> None:
        now = self._clock()
        errors = [problem for problem in problems if not problem.warning]
        if what == "config":  # a line of it may hold a secret that nobody has registered yet
            errors = [replace(problem, excerpt="") for problem in errors]
        since = await unusable.begun(what, self._store, now)
        shown = "\n".join(str(problem) for problem in errors)
        await self._store.call(lambda store: store.set_note(not_live_note(what), shown))
        self._report(Reloaded(what=what, problems=tuple(errors)))
        await self._upkeep.tell_operators([notices.not_live(what, errors, since, now)])

    async def _repaired(self, what: str) -> None:
        """Tell that the files are live again, if they could not be used."""
        since = await unusable.since(what, self._store)
        if since is not None:
            await self._upkeep.tell_operators([notices.repaired(what, self._clock(), since)])
            await unusable.over(what, self._store)


def _forget_problems(what: str, store: Store) -> None:
    store.set_note(not_live_note(what), None)


def _database_moved(config: Config) -> Problem:
    return Problem(
        file=config.path,
        where="monitor.database",
        what="the database cannot change while the monitor runs",
        remedy="stop it, move the file, start it again",
    )
