"""Chooses the faults of a run, and writes down what held."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.fault import MODE, Fault, Mode
from tests.faults.results import Results

_results = Results()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    for item in ours:
        fault = _fault(item)
        if fault is not None:
            item.user_properties += [("fault", fault.number), ("name", fault.name)]
    if MODE is Mode.CI:
        dropped = [item for item in ours if not ((fault := _fault(item)) and fault.ci)]
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


def _fault(item: pytest.Item) -> Fault | None:
    mark = item.get_closest_marker("fault")
    return mark.args[0] if mark else None


@pytest.fixture
def held(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[object], None]:
    """Say what held, in figures: goes into the table of docs/reliability.md."""

    def note(figures: object) -> None:
        told = str(figures).replace(str(tmp_path), "DIR")
        request.node.user_properties.append(("held", told))

    return note


class _Notes:
    """Hears of all tests: those of the workers come to it as well."""

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if _results.add(report):
            _results.save()  # each time: a run of hours may be broken off


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Notes())
