"""The whole suite logs at DEBUG, and no test may leave a canary in what it printed or logged.

Secrets in tests have "canary" in them.  What a test reads from ``capsys`` or from a process of its
own, it looks through itself.
"""

from __future__ import annotations

import logging
from collections.abc import Generator

import pytest

from monitor import logs
from tests.thorough import THOROUGH

CANARY = "canary"


def pytest_configure(config: pytest.Config) -> None:
    config.option.log_level = config.option.log_level or "DEBUG"
    logs.hush(logging.DEBUG)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    late = pytest.mark.skip(reason="takes long: MONITOR_ALL_TEXTS=1 runs it")
    for item in items:
        if item.get_closest_marker("thorough") and not THOROUGH:
            item.add_marker(late)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    spilt = [name for name, text in report.sections if CANARY in text.lower()]
    if report.passed and spilt:
        report.outcome = "failed"
        report.longrepr = f"a secret of this test stands in: {', '.join(spilt)}"
    return report
