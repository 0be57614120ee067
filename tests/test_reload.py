"""What an edit changes, also one that is cut off or made while the monitor is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.errors import StoreBusy
from monitor.feeds.parse import Parser
from monitor.pipeline import upkeep
from monitor.pipeline.config_changes import changed_targets
from monitor.settings import Channel, Target
from tests.builders import a_delivery, an_operator_alert
from tests.ordeal import BAD_RULES, GOOD_RULES, Died, Fault, Ordeal, When
from tests.replay import config_of

URL = "https://example.org/hook"
HOOK = Channel(name="soc", targets=(Target(name="soc", url=URL),), kind="webhook", secret="one")


@pytest.mark.parametrize(
    ("channel", "changed"),
    [
        pytest.param(HOOK, [], id="nothing"),
        pytest.param(replace(HOOK, secret="two"), ["soc"], id="another secret"),
        pytest.param(
            replace(HOOK, targets=(Target(name="soc", url=f"{URL}/2"),)), ["soc"], id="address"
        ),
        pytest.param(
            replace(HOOK, targets=(*HOOK.targets, Target(name="b", url=URL))), ["b"], id="new"
        ),
    ],
)
def test_a_stopped_target_is_tried_again_when(
    tmp_path: Path, channel: Channel, changed: list[str]
) -> None:
    old = replace(config_of(tmp_path), channels=(HOOK,))
    assert changed_targets(old, replace(old, channels=(channel,))) == changed


@pytest.fixture
async def ordeal(tmp_path: Path) -> AsyncIterator[Ordeal]:
    parser = Parser(size=1)
    made = Ordeal(tmp_path, parser)
    await made.start()
    yield made
    await made.close()
    await parser.aclose()


async def _spoilt_while_news_comes(ordeal: Ordeal) -> None:
    ordeal.rules_file.write_bytes(BAD_RULES["half written"])
    await ordeal.edited()
    ordeal.outlets["Alpha"].publish("Talks in Riga", "")
    ordeal.wait(timedelta(minutes=20))
    await ordeal.poller.round()


async def test_a_repair_looks_back_at_all_that_came(
    ordeal: Ordeal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many entries came meanwhile, many of them at the same moment."""
    monkeypatch.setattr(upkeep, "PORTION", 3)
    ordeal.rules_file.write_bytes(BAD_RULES["half written"])
    await ordeal.edited()
    for _ in range(7):
        ordeal.outlets["Alpha"].publish(ordeal.headline(("Riga",)), "")
    await ordeal.poller.round()
    ordeal.rules_file.write_text(GOOD_RULES["three"])
    await ordeal.edited()
    assert _alerts_of(ordeal, "riga") == 7


def _alerts_of(ordeal: Ordeal, rule: str) -> int:
    return len(ordeal.query("SELECT 1 FROM alerts WHERE rule_name = ?", rule))


async def test_rules_repaired_while_it_was_stopped_look_back_too(ordeal: Ordeal) -> None:
    await _spoilt_while_news_comes(ordeal)
    await ordeal.killed()
    ordeal.rules_file.write_text(GOOD_RULES["three"])
    await ordeal.start()
    assert _alerts_of(ordeal, "riga") == 1
    assert ordeal.query("SELECT 1 FROM notes WHERE name = 'rules-failed-since'") == []


@pytest.mark.parametrize("when", [When.AFTER, When.BUSY], ids=["killed", "the database is busy"])
@pytest.mark.parametrize("step", ["save_rule_set", "raise_alerts", "entries"])
async def test_a_repair_that_is_cut_off_is_made_up_for(
    ordeal: Ordeal, step: str, when: When
) -> None:
    await _spoilt_while_news_comes(ordeal)
    ordeal.rules_file.write_text(GOOD_RULES["three"])
    ordeal.faults.append(Fault(when=when, steps=0, where=step))
    with pytest.raises((Died, StoreBusy)):
        await ordeal.edited()
    if when is When.AFTER:
        await ordeal.killed()
        await ordeal.start()
    await ordeal.edited()
    assert _alerts_of(ordeal, "riga") == 1


async def test_a_mistake_that_is_made_again_is_told_again(ordeal: Ordeal) -> None:
    """Not within the same trouble, nor after a restart: then people know of it."""
    for days in (1, 2):
        for _ in range(2):
            ordeal.rules_file.write_bytes(BAD_RULES["half written"])
            await ordeal.edited()
            await ordeal.killed()
            await ordeal.start()
        assert _told(ordeal, "The new rules are NOT live%") == days
        ordeal.rules_file.write_text(GOOD_RULES["two"])
        await ordeal.edited()
        assert _told(ordeal, "The rules are live again") == days
        ordeal.wait(timedelta(days=1))


async def test_so_is_one_in_the_configuration(ordeal: Ordeal) -> None:
    for days in (1, 2):
        Path(ordeal.config.path).write_text("[monitor")
        for _ in range(2):
            await ordeal.reloader.reload_config()
        assert _told(ordeal, "The new configuration is NOT live%") == days
        await ordeal.killed()
        await ordeal.start()  # only with a good file
        assert _told(ordeal, "The configuration is live again") == days
        ordeal.wait(timedelta(days=1))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("url = json://127.0.0.1/canary", id="not quoted"),
        pytest.param('url = "json://127.0.0.1/canary', id="not closed"),
        pytest.param('mail = "mailto://me:canary@127.0.0.1"', id="a text for a table"),
        pytest.param("password = canary", id="a password"),
        pytest.param("webhook.secret = canary", id="a dotted key"),
    ],
)
async def test_a_mistake_beside_a_secret_does_not_give_it_away(ordeal: Ordeal, line: str) -> None:
    """It is no secret that is known: the file could not be read."""
    Path(ordeal.config.path).write_text(f'[[channels]]\nname = "a"\n{line}\n')
    await ordeal.reloader.reload_config()
    stored = [*ordeal.query("SELECT told FROM alerts"), *ordeal.query("SELECT value FROM notes")]
    assert "NOT live" in str([tuple(row) for row in stored])
    assert "canary" not in str([tuple(row) for row in stored])


def _told(ordeal: Ordeal, title: str) -> int:
    return len(ordeal.query("SELECT 1 FROM alerts WHERE told ->> 'title' LIKE ?", title))


CONFIG = """
[monitor]
database = "monitor.db"
[[channels]]
name = "{}"
url = "json://127.0.0.1/"
"""


@pytest.mark.parametrize("first", ["config", "rules"])
async def test_a_channel_may_be_renamed_in_one_file_after_the_other(
    ordeal: Ordeal, first: str
) -> None:
    """Until both are saved neither fits what is in force of the other."""
    config, rules = Path(ordeal.config.path), ordeal.rules_file
    for name in ("desk", "soc"):
        texts = {config: CONFIG.format(name)}
        texts[rules] = f'{GOOD_RULES["one"]}channels = ["{name}"]\n'
        for path in (config, rules) if first == "config" else (rules, config):
            path.write_text(texts[path])
            await ordeal.edited()
            ordeal.wait(timedelta(minutes=1))
    in_force = ordeal.reloader._in_force
    assert [channel.name for channel in in_force.config.channels] == ["soc"]
    assert [each.rule.channels for each in in_force.rules.rules] == [("soc",)]
    assert ordeal.query("SELECT name FROM notes WHERE name LIKE '%-failed-since'") == []


async def test_new_times_hold_for_what_waits_although_the_database_was_busy(
    ordeal: Ordeal,
) -> None:
    config = Path(ordeal.config.path)
    config.write_text(CONFIG.format("desk") + 'digest = "18:00"\n')
    await ordeal.reloader.reload_config()
    alert = an_operator_alert()
    row = a_delivery(alert, target="desk", due_at=ordeal.clock() + timedelta(hours=9))
    await ordeal.store.call(lambda store: store.raise_alerts([alert], [row]))
    config.write_text(CONFIG.format("desk") + 'digest = "12:00"\n')
    ordeal.faults.append(Fault(when=When.BUSY, steps=0, where="reconsider"))
    with pytest.raises(StoreBusy):
        await ordeal.edited()
    await ordeal.edited()
    due = await ordeal.store.call(lambda store: store.delivery(row.id))
    assert due is not None
    assert due.delivery.due_at == ordeal.clock()


async def test_a_rule_that_asks_for_less_still_looks_back_to_the_first_load_that_failed(
    ordeal: Ordeal,
) -> None:
    await _spoilt_while_news_comes(ordeal)
    ordeal.wait(timedelta(days=1))
    ordeal.rules_file.write_text(GOOD_RULES["three"].rstrip() + '\nbackfill = "1h"\n')
    await ordeal.edited()
    assert _alerts_of(ordeal, "riga") == 1
