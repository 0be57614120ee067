"""``send-test`` as people type it, to channels that the monitor sends to itself."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.sinks import BOT_TOKEN, http_sink

ROOT = Path(__file__).parents[1]
SECRET = "c4n4ry-S3CRET-0123456789"
TAKEN = b'{"ok":true,"ts":"1739440800.000100"}'


async def send_test(folder: Path, text: str) -> tuple[int, str]:
    """Exit code and all that was printed."""
    config = folder / "config.toml"
    config.write_text(text, "utf-8")
    config.chmod(0o600)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys; from monitor.cli import invoke; sys.exit(invoke(sys.argv[1:]))",
        "send-test",
        "desk",
        "--config",
        str(config),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SOC": SECRET},
    )
    printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode()


def bot(url: str) -> str:
    return f'[[channels]]\nname = "desk"\nurl = "{url}"\n'


def hook(url: str) -> str:
    return f'[[channels]]\nname = "desk"\n[channels.webhook]\nurl = "{url}"\nsecret = "${{SOC}}"\n'


async def test_a_slack_bot(tmp_path: Path) -> None:
    async with http_sink(answer=TAKEN) as sink:
        code, printed = await send_test(tmp_path, bot(sink.bot_url()))
        [posted] = sink.posted
    assert (code, printed.splitlines()[-1].partition(":")[0]) == (0, "desk took it")
    assert posted.json["text"].startswith("[TEST] [NORMAL] The Example Times: A sample alert")
    [block, _small] = posted.json["blocks"]
    assert "(test: somebody tries this channel; it is no news)" in str(block)


async def test_a_signed_webhook(tmp_path: Path) -> None:
    async with http_sink() as sink:
        code, printed = await send_test(tmp_path, hook(sink.url("200", scheme="http")))
        [posted] = sink.posted
    assert (code, printed.splitlines()[-1].partition(":")[0]) == (0, "desk took it")
    assert posted.json["alerts"][0]["labels"] == ["test"]
    assert posted.headers["x-monitor-signature"].startswith("v1=")


async def test_what_a_bot_lacks_is_said_with_what_to_do(tmp_path: Path) -> None:
    async with http_sink(answer=b'{"ok":false,"error":"not_in_channel"}') as sink:
        code, printed = await send_test(tmp_path, bot(sink.bot_url()))
    assert code == 1
    assert "desk did not take it: Slack answers not_in_channel: invite the bot" in printed
    assert BOT_TOKEN not in printed


@pytest.mark.parametrize("step", ["404", "ambiguous"])
async def test_a_webhook_that_does_not_take_it(tmp_path: Path, step: str) -> None:
    async with http_sink(answer=SECRET.encode()) as sink:
        code, printed = await send_test(tmp_path, hook(sink.url(step, scheme="http")))
    assert code == 1
    assert "desk did not take it: " in printed
    assert SECRET not in printed
