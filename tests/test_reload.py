"""What an edit of config.toml changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.pipeline.reload import _changed_targets
from monitor.settings import Channel, Target
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
    assert _changed_targets(old, replace(old, channels=(channel,))) == changed
