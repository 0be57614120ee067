"""The whole suite logs at DEBUG, and no test may leave a canary in what it printed or logged.

Secrets in tests have "canary" in them.  What a test reads from ``capsys`` or from a process of its
own, it looks through itself.
"""

from __future__ import annotations

import logging
from collections.abc import Generator

import pytest

from monitor import logs

CANARY = "canary"


def pytest_configure(config: pytest.Config) -> None:
    config.option.log_level = config.option.log_level or "DEBUG"
    logs.hush(logging.DEBUG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    spilt = [name for name, text in report.sections if CANARY in text.lower()]
    if report.passed and spilt:
        report.outcome = "failed"
        report.longrepr = f"a secret of this test stands in: {', '.join(spilt)}"
    return report
