"""Templates in force: edits, bad edits, failures on a message; told once for each state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from monitor.alerts.bundle import Bundle
from monitor.alerts.render import render
from monitor.errors import StoreBusy
from monitor.events import Event, Reloaded, Trouble
from monitor.model import Alert, Message, QueuedDelivery
from monitor.pipeline.in_force import InForce
from monitor.pipeline.shared import Shared
from monitor.pipeline.templating import MOST_LATE, Templating
from monitor.rules.load import load
from monitor.settings import Channel, Target
from monitor.store.sqlite import SqliteStore
from monitor.store.writer import Writer
from tests.builders import NOW, a_delivery, an_alert, an_operator_alert
from tests.replay import Clock, config_of
from tests.thorough import thorough

GOOD = (
    "Our desk\n{% for each in stories %}{{ each.title }}{% endfor %}"
    "{% for each in notices %}{{ each.title }}{% endfor %}"
)
DESK = Channel(name="desk", kind="json", targets=(Target(name="desk", url="json://h/"),))
FAILS_ON_MINISTERS = GOOD + "{% if 'Ministers' in subject %}{{ stories[9].title }}{% endif %}"
LATE_ON_MINISTERS = GOOD + (
    "{% if 'Ministers' in subject %}{% for a in range(99999) %}{% for b in range(99999) %}"
    "{% endfor %}{% endfor %}{% endif %}"
)


class House:
    """A folder of templates, and what was told of it."""

    def __init__(self, folder: Path) -> None:
        config = replace(config_of(folder), templates=str(folder / "templates"))
        self.folder = folder / "templates"
        self.folder.mkdir()
        self.events: list[Event] = []
        self.told: list[Alert] = []
        self.busy = False
        self.store = Writer(lambda: SqliteStore.open(config.database))
        self.in_force = InForce(config=config, rules=load({}))
        self.clock = Clock()
        self.shared = Shared(
            in_force=self.in_force,
            store=self.store,
            clock=self.clock,
            report=self.events.append,
        )
        self.templating = Templating(self.shared, tell=self.tell)

    async def restarted(self) -> None:
        await self.templating.aclose()
        self.templating = Templating(self.shared, tell=self.tell)
        await self.templating.started()

    async def tell(self, alerts: Sequence[Alert]) -> None:
        if self.busy:
            raise StoreBusy("disk full")
        self.told += alerts

    async def save(self, **files: str) -> None:
        """Write files (names with _ for the dot) and look twice, as the daemon does."""
        for name, text in files.items():
            (self.folder / name.replace("_", ".")).write_text(text)
        for _ in range(2):
            await self.templating.check()

    async def text(self, alert: Alert | None = None) -> str:
        alert = alert or an_alert()
        return (await self.message(self.rendered(alert), alert)).text

    async def message(self, message: Message, alert: Alert) -> Message:
        bundle = Bundle(queued=(QueuedDelivery(delivery=a_delivery(alert), alert=alert),))
        return await self.templating.applied(message, bundle, {}, DESK)

    def rendered(self, alert: Alert) -> Message:
        return render(
            [(a_delivery(alert), alert)],
            channel=DESK,
            timezone=config_of(self.folder).timezone,
            now=NOW,
            message_id="m" * 16,
        )

    async def note(self) -> str | None:
        return await self.store.call(lambda store: store.note("not-live:templates"))


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    await made.templating.aclose()
    await made.store.aclose()


async def test_without_templates_messages_stay_as_they_are(house: House) -> None:
    await house.templating.started()
    assert await house.text() == house.rendered(an_alert()).text
    assert (house.events, house.told) == ([], [])


async def test_a_template_is_applied_from_the_start(house: House) -> None:
    (house.folder / "plain.txt").write_text(GOOD)
    await house.templating.started()
    assert (await house.text()).startswith("Our desk\nMinisters meet")
    assert (await house.text(an_operator_alert())).startswith("Our desk\nNo news from")


async def test_an_edit_is_taken_over_and_reported(house: House) -> None:
    await house.templating.started()
    await house.save(plain_txt=GOOD)
    await house.save(plain_txt=GOOD.replace("Our", "Their"), subject_txt="{{ subject }}")
    assert (await house.text()).startswith("Their desk\n")
    (house.folder / "plain.txt").unlink()
    await house.save()
    assert await house.text() == house.rendered(an_alert()).text
    assert [(e.added, e.edited, e.removed) for e in house.events if isinstance(e, Reloaded)] == [
        (("plain.txt",), (), ()),
        (("subject.txt",), ("plain.txt",), ()),
        ((), (), ("plain.txt",)),
    ]


async def test_another_folder_in_config_toml_is_looked_at(house: House) -> None:
    await house.save(plain_txt=GOOD)
    house.in_force.config = replace(house.in_force.config, templates=str(house.folder / "other"))
    (house.folder / "other").mkdir()
    (house.folder / "other" / "plain.txt").write_text(GOOD.replace("Our", "Other"))
    await house.save()
    assert (await house.text()).startswith("Other desk\n")


async def test_a_bad_edit_leaves_the_last_good_state_and_is_told_once(house: House) -> None:
    await house.save(plain_txt=GOOD)
    await house.save(plain_txt="{{ titel }}")
    await house.save()
    assert (await house.text()).startswith("Our desk\n")
    (alert,) = house.told
    assert alert.title == "A template is NOT live: templates/plain.txt:1"
    assert "'titel' is not known" in alert.text
    assert "'titel' is not known" in (await house.note() or "")


async def test_a_repaired_template_is_told(house: House) -> None:
    await house.save(plain_txt="{{ titel }}")
    await house.save(plain_txt=GOOD)
    assert [alert.title for alert in house.told][1:] == ["The templates are live again"]
    assert await house.note() is None


async def test_the_same_mistake_made_again_is_told_again(house: House) -> None:
    for _ in range(2):
        await house.save(plain_txt="{{ titel }}")
        await house.save(plain_txt=GOOD)
        house.clock.advance(timedelta(days=1))
    assert len({alert.id for alert in house.told}) == 4


async def test_a_restart_does_not_tell_of_it_again_and_tells_of_the_repair(house: House) -> None:
    await house.save(plain_txt="{{ titel }}")
    house.clock.advance(timedelta(days=1))
    await house.restarted()
    assert len({alert.id for alert in house.told}) == 1
    await house.save(plain_txt=GOOD)
    assert house.told[-1].title == "The templates are live again"


async def test_a_bad_template_at_the_start_leaves_the_built_in_layout(house: House) -> None:
    (house.folder / "plain.txt").write_text("{{ titel }}")
    (house.folder / "subject.txt").write_text("ours: {{ subject }}")
    await house.templating.started()
    assert await house.text() == house.rendered(an_alert()).text
    assert len(house.told) == 1


async def test_a_template_that_fails_on_a_message_is_told_once_and_used_for_others(
    house: House,
) -> None:
    await house.save(plain_txt=FAILS_ON_MINISTERS)
    for _ in range(2):
        assert await house.text() == house.rendered(an_alert()).text
    assert (await house.text(an_operator_alert())).startswith("Our desk\n")
    (alert,) = house.told
    assert alert.title == "A message could not be made with templates/plain.txt"
    assert "there is no item 9 here" in alert.text
    assert [event.what for event in house.events if isinstance(event, Trouble)] == [
        "a template failed"
    ]


async def test_a_failure_is_told_again_for_another_state_of_the_file(house: House) -> None:
    for text in (FAILS_ON_MINISTERS, FAILS_ON_MINISTERS + ".", FAILS_ON_MINISTERS):
        await house.save(plain_txt=text)
        await house.text()
    first, second, third = (alert.id for alert in house.told)
    assert first == third != second  # the store knows the third by its id


async def test_a_failure_that_could_not_be_told_is_told_later(house: House) -> None:
    await house.save(plain_txt=FAILS_ON_MINISTERS)
    house.busy = True
    assert await house.text() == house.rendered(an_alert()).text
    house.busy = False
    await house.text()
    assert len(house.told) == 1


@thorough
async def test_a_template_that_is_late_again_and_again_is_set_aside_until_it_changes(
    house: House,
) -> None:
    await house.save(plain_txt=LATE_ON_MINISTERS)
    for _ in range(MOST_LATE):
        assert await house.text() == house.rendered(an_alert()).text
    calm = an_operator_alert()
    assert await house.text(calm) == house.rendered(calm).text
    await house.save(plain_txt=LATE_ON_MINISTERS + " ")
    assert (await house.text(calm)).startswith("Our desk\n")


async def test_an_alert_that_trips_us_leaves_the_message_as_it_was(house: House) -> None:
    await house.save(plain_txt=GOOD)
    message = house.rendered(an_alert())
    broken = replace(an_alert(), title=None)  # type: ignore[arg-type]
    assert await house.message(message, broken) == message
