"""People's own templates: read, tried with samples, filled in within bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from monitor.alerts.layout import Layout
from monitor.alerts.render import render
from monitor.alerts.sample import Sample, sample, samples
from monitor.alerts.template_output import FILES, Fault
from monitor.alerts.template_values import values_of
from monitor.alerts.templates import MAX_FILE, Renderer, read_templates
from monitor.model import Alert, Message
from monitor.settings import Channel, Target
from tests.builders import NOW, a_delivery, an_alert, an_entry
from tests.hostile import HOSTILE
from tests.scarce import handles_left

pytestmark = pytest.mark.asyncio(loop_scope="module")

BRUSSELS = ZoneInfo("Europe/Brussels")
LOOPS = (
    "{% for each in stories %}{{ each.title }}\n{% endfor %}"
    "{% for each in notices %}{{ each.title }}\n{% endfor %}"
)
LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
HEAD = LOOPS.replace("\n", " ") + "\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def renderer() -> AsyncIterator[Renderer]:
    renderer = Renderer()
    yield renderer
    await renderer.aclose()


WHEN = "Thu 13 Feb 2025, 11:00 CET"


def layout_of(*alerts: Alert) -> Layout:
    return Sample(name="", alerts=alerts).layout(BRUSSELS, WHEN)


def message_of(*alerts: Alert, kind: str) -> Message:
    channel = Channel(name="desk", kind=kind, targets=(Target(name="desk", url="json://h/"),))
    items = [(a_delivery(alert), alert) for alert in alerts]
    return render(items, channel=channel, timezone=BRUSSELS, now=NOW, message_id="m" * 16)


async def filled(renderer: Renderer, source: str, *alerts: Alert, file: str = "plain.txt") -> str:
    values = values_of(layout_of(*(alerts or (sample(NOW),))), now=WHEN)
    made = await renderer.fill(file, source, values, 30_000)
    return (
        made if isinstance(made, str) else "; ".join(f"{each.line}: {each.what}" for each in made)
    )


async def problems_of(renderer: Renderer, folder: Path, file: str, source: str) -> list[str]:
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / file).write_text(source, "utf-8")
    found = await renderer.tried(str(folder / "templates"), BRUSSELS, NOW)
    return [str(problem) for problem in found.problems]


# --- the folder


async def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    found = read_templates(str(tmp_path / "templates"))
    assert (found.texts, found.problems) == ({}, ())


async def test_files_that_no_message_uses_are_told(tmp_path: Path) -> None:
    for name in ("mail.html", "mail.htm", "notes.md", ".plain.txt.swp", "plain.txt~"):
        (tmp_path / name).write_text("x")
    found = read_templates(str(tmp_path))
    assert list(found.texts) == ["mail.html"]
    place = tmp_path.name
    assert [str(problem) for problem in found.problems] == [
        f"{place}/mail.htm: warning: no message uses a file of this name; "
        'did you mean "mail.html"?',
        f"{place}/notes.md: warning: no message uses a file of this name; "
        "there is subject.txt, mail.html, mail.txt, slack.txt, plain.txt",
    ]
    assert found.bad == frozenset()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"\xff\xfe", "it is not saved as utf-8", id="not UTF-8"),
        pytest.param(b"x" * (MAX_FILE + 1), "larger than 256 kb", id="too large"),
        pytest.param(None, "is a directory", id="a folder"),
    ],
)
async def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "plain.txt"
    path.mkdir() if content is None else path.write_bytes(content)
    found = read_templates(str(tmp_path))
    (problem,) = found.problems
    assert str(problem) == f"{tmp_path.name}/plain.txt: cannot be read: {said}"
    assert found.bad == {"plain.txt"}


# --- what is wrong with a template


@pytest.mark.parametrize(
    ("source", "said"),
    [
        pytest.param(
            HEAD + "{% for s in stories %}\n{{ s.titel }}{% endfor %}",
            "plain.txt:3: 'titel' is not known; did you mean 'title'?",
            id="a misspelt name of a story",
        ),
        pytest.param(
            HEAD + "{% if 1 > 2 %}{{ storys }}{% endif %}",
            "plain.txt:2: 'storys' is not known; did you mean 'stories'?",
            id="a misspelt name where no sample comes by",
        ),
        pytest.param(
            HEAD + "{{ stories.title }}",
            "plain.txt:2: a list has no 'title'; go through it with {% for … in … %}",
            id="a list taken for one story",
        ),
        pytest.param(
            HEAD + "{{ stories[0].title }}",
            "plain.txt:2: there is no item 0 here (in a sample notice of the monitor); "
            "ask for it with {% if … %} first",
            id="no story in a notice",
        ),
        pytest.param(
            HEAD + "{% for s in stories %}{{ s.title }}",
            "plain.txt:2: Unexpected end of template. Jinja was looking for the following tags:"
            " 'endfor' or 'else'. The innermost block that needs to be closed is 'for'.",
            id="a loop without an end",
        ),
        pytest.param(
            HEAD + "{{ subject | uper }}",
            "plain.txt:2: the filter 'uper' is not known; did you mean 'upper'?",
            id="a misspelt filter",
        ),
        pytest.param(
            HEAD + "\n{{ subject | safe }}",
            "plain.txt:3: the filter 'safe' cannot be used: what feeds say must stay text; "
            "title_html and html hold the hits as HTML",
            id="escaping switched off by a filter",
        ),
        pytest.param(
            HEAD + "{% autoescape false %}{{ subject }}{% endautoescape %}",
            "plain.txt:2: 'autoescape' cannot be used: what feeds say must stay text; "
            "title_html and html hold the hits as HTML",
            id="escaping switched off by a block",
        ),
        pytest.param(
            HEAD + '{% include "/etc/passwd" %}',
            "plain.txt:2: 'include' cannot be used; a template is one file; copy it here",
            id="another file",
        ),
        pytest.param(
            HEAD + "{{ subject.__class__.__mro__ }}",
            "plain.txt:2: SecurityError: access to attribute '__class__' of 'str' object is"
            " unsafe.",
            id="the way into the program",
        ),
        pytest.param(
            HEAD + "{{ 1 / 0 }}",
            "plain.txt:2: ZeroDivisionError: division by zero",
            id="an expression that fails",
        ),
        pytest.param(
            HEAD + "{{ digest.title }}",
            "plain.txt:2: there is nothing here to have a 'title'; "
            "ask for it with {% if … %} first",
            id="no digest in a single alert",
        ),
        pytest.param(
            "{% for s in stories %}{{ s.title }}{% endfor %}.",
            'plain.txt: it does not show the title "No news from The Example Times since 06:10"'
            " (in a sample digest); "
            "add {% for notice in notices %}{{ notice.title }} …{% endfor %}",
            id="notices forgotten",
        ),
        pytest.param(
            "{% if 0 %}x{% endif %}", "plain.txt: it makes an empty text", id="nothing at all"
        ),
        pytest.param(
            HEAD + "{% for n in range(99999) %}{{ subject }}{% endfor %}",
            "plain.txt: it makes more than 200,000 characters; "
            "show less of each story where there are many",
            id="too much text",
        ),
        pytest.param(
            HEAD + "{{ 'x' * 1000000000 }}",
            "plain.txt: it takes more than 256 MB of memory; is a text repeated?",
            id="too much memory",
        ),
        pytest.param(
            HEAD + LOOP,
            "plain.txt: it takes longer than 2 s; is there a loop in a loop?",
            id="for hours",
        ),
    ],
)
async def test_a_faulty_template_is_told_by_file_and_line(
    renderer: Renderer, tmp_path: Path, source: str, said: str
) -> None:
    assert await problems_of(renderer, tmp_path, "plain.txt", source) == [f"templates/{said}"]


async def test_all_that_can_be_seen_at_once_is_told_at_once(
    renderer: Renderer, tmp_path: Path
) -> None:
    source = '{{ storys }}\n{% include "x" %}\n{{ notive }}'
    lines = [
        problem.partition(": ")[0]
        for problem in await problems_of(renderer, tmp_path, "mail.txt", source)
    ]
    assert lines == ["templates/mail.txt:2", "templates/mail.txt:1", "templates/mail.txt:3"]


async def test_good_files_are_used_beside_bad_ones(renderer: Renderer, tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text(LOOPS)
    (tmp_path / "slack.txt").write_text("{{ titel }}")
    (tmp_path / "subject.txt").write_text("desk: {{ subject }}")
    found = await renderer.tried(str(tmp_path), BRUSSELS, NOW)
    assert set(found.texts) == {"plain.txt", "subject.txt"}
    assert found.bad == {"slack.txt"}


# --- what feeds say stays text


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_title_stays_text(renderer: Renderer, title: str) -> None:
    alert = an_alert(an_entry(title))
    (telling,) = layout_of(alert).told
    assert await filled(renderer, "{{ stories[0].title }}.", alert) == f"{telling.title}."
    source = "{{ stories[0].title }}|{{ stories[0].title_html }}."
    html = await filled(renderer, source, alert, file="mail.html")
    assert "<script" not in html
    assert "<img" not in html
    assert "49" not in html


async def test_hits_are_marked_in_html_and_nothing_else_is(renderer: Renderer) -> None:
    (full,) = (alert for alert in samples(NOW)[2].alerts if alert.title.startswith("A notice"))
    made = await filled(
        renderer, "{{ stories[0].title }}|{{ stories[0].title_html }}", full, file="mail.html"
    )
    assert made == (
        "A notice: F-16 aircraft &lt;for&gt; a NATO ally &amp; others|"
        "A notice: <mark>F-16</mark> aircraft &lt;for&gt; a NATO ally &amp; others"
    )


@pytest.mark.parametrize(
    "expression",
    [
        "stories[0].keys",
        "stories[0].copy",
        "stories[0]['get']",
        "stories[0].pop('title')",
        "stories.append(1)",
        "stories[0]|attr('title')",
        "lipsum",
        "self._TemplateReference__context",
        "'{0.__class__}'.format(1)",
        "namespace.__init__.__globals__",
        "range(1000000)",
    ],
)
async def test_an_expression_that_reaches_too_far_is_a_fault(
    renderer: Renderer, expression: str
) -> None:
    assert (await filled(renderer, f"\n{{{{ {expression} }}}}")).startswith("2: ")


# --- messages


async def test_a_message_is_set_by_the_templates_of_its_channel(renderer: Renderer) -> None:
    alert = sample(NOW)
    texts = {file: f"{file} {LOOPS}" for file in FILES} | {"subject.txt": "desk: {{ subject }}"}
    texts["mail.html"] = "<p>{{ subject }}</p></body>"
    mail, faults = await renderer.applied(
        message_of(alert, kind="mailtos"),
        layout_of(alert),
        texts,
        kind="mailtos",
        now=WHEN,
    )
    assert faults == []
    assert mail.subject == "desk: [NORMAL] The Example Times: " + alert.title
    assert mail.text == f"mail.txt {alert.title}\n\nAlert {alert.id}"
    assert mail.html.startswith(f"<p>{mail.subject}</p><p style=")
    assert mail.html.endswith(f"Alert {alert.id}</p>\n</body>")


@pytest.mark.parametrize(
    ("kind", "file"),
    [("slack", "slack.txt"), ("json", "plain.txt"), ("terminal", "plain.txt")],
)
async def test_each_kind_has_its_file(renderer: Renderer, kind: str, file: str) -> None:
    alert = sample(NOW)
    texts = {name: f"{name} {LOOPS}" for name in FILES if name != "subject.txt"}
    before = message_of(alert, kind=kind)
    after, _ = await renderer.applied(before, layout_of(alert), texts, kind=kind, now=WHEN)
    assert after.text.startswith(f"{file} {alert.title}")
    assert replace(after, text="") == replace(before, text="")


async def test_a_faulty_file_leaves_its_part_as_it_was(renderer: Renderer) -> None:
    alert = sample(NOW)
    before = message_of(alert, kind="json")
    texts = {"subject.txt": "{{ stories[7].title }}", "plain.txt": LOOPS}
    after, faults = await renderer.applied(before, layout_of(alert), texts, kind="json", now=WHEN)
    assert [(fault.file, fault.line, fault.late) for fault in faults] == [("subject.txt", 1, False)]
    assert after.subject == before.subject
    assert after.text.startswith(alert.title + "\n")


async def test_a_late_template_is_known_to_be_late(renderer: Renderer) -> None:
    faults = await renderer.fill("plain.txt", LOOP * 2, {}, 100)
    assert isinstance(faults[0], Fault)
    assert faults[0].late


async def test_a_machine_without_handles_is_no_fault_of_a_template() -> None:
    renderer = Renderer()
    with handles_left(0):
        [fault] = await renderer.fill("plain.txt", "x", {}, 100)
    assert isinstance(fault, Fault)
    assert (fault.what, fault.late) == ("no process could be started to fill it in", False)
    assert await renderer.fill("plain.txt", "x", {}, 100) == "x"
    await renderer.aclose()
