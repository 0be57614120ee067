"""docs/templates.md is true: its examples are run, its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts.render import TEXT_LENGTH, text_length
from monitor.alerts.sample import samples
from monitor.alerts.template_child import NO_FILTERS
from monitor.alerts.template_output import FILES, HTML_LENGTH
from monitor.alerts.template_values import values_of
from monitor.alerts.templates import MEMORY, Renderer
from tests.builders import NOW

PAGE = (Path(__file__).parents[1] / "docs" / "templates.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"`templates/(\S+)`:\n\n```jinja\n(.*?)```", PAGE, re.DOTALL))
ROWS = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
VALUES = values_of(samples(NOW)[2].layout(ZoneInfo("UTC"), "now"), now="now")


async def test_the_examples_work_with_every_sample(tmp_path: Path) -> None:
    for file, text in EXAMPLES.items():
        (tmp_path / file).write_text(text, "utf-8")
    renderer = Renderer()
    found = await renderer.tried(str(tmp_path), ZoneInfo("UTC"), NOW)
    await renderer.aclose()
    assert [str(problem) for problem in found.problems] == []
    assert set(found.texts) == {"mail.html", "slack.txt", "subject.txt"}


async def test_the_slack_example_looks_like_this() -> None:
    renderer = Renderer()
    values = values_of(samples(NOW)[0].layout(ZoneInfo("UTC"), "now"), now="now")
    made = await renderer.fill("slack.txt", EXAMPLES["slack.txt"], values, 10_000)
    await renderer.aclose()
    assert isinstance(made, str)
    assert made.splitlines() == [
        "[NORMAL] A sample alert: this is how a story will look",
        "The Example Times, Thu 13 Feb 2025, 10:00 UTC",
        "> The Pentagon approved a possible »Foreign Military Sale« to a NATO ally on Thursday.",
        "https://example.org/sample",
        'Rule sample, because of "Foreign Military Sale" in the text.',
        f"Alert {samples(NOW)[0].alerts[0].id}",
        "",
    ]


def test_the_tables_name_what_there_is() -> None:
    assert [*FILES, *_in_page_order(VALUES), *_in_page_order(VALUES["stories"][0])] == ROWS


def _in_page_order(values: dict[str, object]) -> list[str]:
    return sorted(values, key=lambda name: ROWS.index(name) if name in ROWS else -1)


@pytest.mark.parametrize(
    "name",
    [*VALUES["notices"][0], *VALUES["digest"], *VALUES["stories"][0]["sentences"][0], *NO_FILTERS],
)
def test_the_text_names_the_rest(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_limits_are_those_on_the_page() -> None:
    lengths = [TEXT_LENGTH, text_length("mailto"), HTML_LENGTH]
    lengths += [text_length(kind) for kind in ("discord", "tgram", "matrix", "ntfy")]
    for number in lengths:
        assert f"{number:,}".replace(",", " ") in PAGE
    assert f"{MEMORY >> 20} MB" in PAGE
