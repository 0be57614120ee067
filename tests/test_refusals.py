"""Every failure of an address means something, and something can be done."""

from __future__ import annotations

import pytest

from monitor.feeds.refusals import advice
from monitor.model import FailureReason


@pytest.mark.parametrize("reason", FailureReason)
def test_every_failure_has_a_meaning_and_a_remedy(reason: FailureReason) -> None:
    means, remedy = advice(reason)
    assert means[0].islower()
    assert not means.endswith(".")
    assert remedy.endswith(".")
