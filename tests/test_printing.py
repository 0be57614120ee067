"""The terminal channel: printed, held up, closed; and never printed twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from monitor.alerts.printing import Printer
from monitor.model import Accepted, Refused, SendResult
from tests.builders import a_message

SOON = timedelta(seconds=0.02)


class Reader:
    """Who reads what is printed; turns pages only while it likes to."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.turns = threading.Event()
        self.turns.set()
        self.wrong: Exception | None = None

    def __call__(self, text: str) -> None:
        self.turns.wait()
        if self.wrong is not None:
            raise self.wrong
        self.read.append(text)


@pytest.fixture
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.turns.set()


def detail(result: SendResult) -> str:
    assert isinstance(result, Refused)
    assert result.retryable
    assert not result.ambiguous
    return result.detail


async def test_a_message_is_accepted_once_it_is_printed(reader: Reader) -> None:
    printer = Printer(reader)
    assert await printer.print(a_message(id="m1", text="NATO meets")) == Accepted()
    assert reader.read == ["NATO meets"]


async def test_a_reader_that_stops_holds_up_nobody_and_gets_nothing_twice(reader: Reader) -> None:
    printer = Printer(reader, patience=SOON)
    reader.turns.clear()
    first, second = a_message(id="m1", text="1"), a_message(id="m2", text="2")
    assert detail(await printer.print(first)) == "nobody reads what is printed"
    assert detail(await printer.print(second)) == "nobody reads what is printed"
    reader.turns.set()
    patient = Printer(reader)
    patient._prints = printer._prints
    assert await patient.print(first) == Accepted()
    assert await patient.print(second) == Accepted()
    assert reader.read == ["1", "2"]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (BrokenPipeError(32, "Broken pipe"), "Broken pipe"),
        (ValueError("I/O operation on closed file"), "it is closed"),
    ],
)
async def test_what_cannot_be_printed_is_tried_again(
    reader: Reader, error: Exception, why: str
) -> None:
    printer, message = Printer(reader), a_message(id="m1", text="1")
    reader.wrong = error
    assert detail(await printer.print(message)) == f"nothing can be printed: {why}"
    reader.wrong = None
    assert await printer.print(message) == Accepted()
    assert reader.read == ["1"]


async def test_a_mistake_of_ours_is_no_refusal(reader: Reader) -> None:
    reader.wrong = TypeError("a bug")
    with pytest.raises(TypeError):
        await Printer(reader).print(a_message())
