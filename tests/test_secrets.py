"""A secret in every kind of channel, taken and refused: it stands in no output and not on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from monitor.cli import invoke
from tests.servers import serving
from tests.sinks import http_sink, smtp_sink
from tests.test_whole import Outlet
from tests.thorough import thorough

CANARY = "canary-5f3a9c71-0b42"
CONFIG = """
[poll]
per_host_gap = "0s"
first_poll = "alert"
allow_private = ["127.0.0.0/8"]
[heartbeat]
url = "http://127.0.0.1:{http}/${{CANARY}}/beat"
[[feeds]]
url = "{feed}"
name = "Outlet"
token = "${{CANARY}}"
headers = {{ X-Key = "key ${{CANARY}}" }}
[[feeds]]
url = "{feed}-through-a-proxy"
name = "Proxied"
proxy = "http://user:${{CANARY}}@127.0.0.1:{http}"
[[channels]]
name = "mail"
[channels.mail]
server = "127.0.0.1"
port = {smtp}
security = "none"
user = "monitor@example.org"
password = "${{CANARY}}"
from = "monitor@example.org"
to = ["anna@example.org"]
[[channels]]
name = "json"
url = "json://user:${{CANARY}}@127.0.0.1:{http}/${{CANARY}}/{step}"
[[channels]]
name = "bot"
url = "slack-bot://xoxb-${{CANARY}}/C0123ABCD?base=http://127.0.0.1:{http}/{step}"
[[channels]]
name = "soc"
[channels.webhook]
url = "http://127.0.0.1:{http}/${{CANARY}}/{step}"
secret = "${{CANARY}}"
"""
RULES = '[[rule]]\nname = "nato"\nany = ["NATO"]\n'
COMMANDS = (
    ("check",),
    ("once", "--log-level", "debug"),
    ("status",),
    ("status", "--json"),
    ("deliveries", "list"),
    ("deliveries", "list", "--json"),
    ("alerts", "list", "--json"),
    ("routes", "test", "nato"),
    *(("send-test", name) for name in ("mail", "json", "bot", "soc")),
)


async def said_by(config: Path, capfd: pytest.CaptureFixture[str], *command: str) -> str:
    await asyncio.to_thread(invoke, [*command, "--config", str(config)])
    out, err = capfd.readouterr()
    return out + err


@pytest.mark.parametrize("step", [pytest.param("200", marks=thorough), "403"])
async def test_a_canary_in_every_channel_is_nowhere(
    tmp_path: Path, step: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    outlet = Outlet()
    outlet.publish("NATO meets")
    refused = {} if step == "200" else {"on_data": f"554 5.7.1 who is {CANARY}"}
    async with (
        serving({"/feed": outlet}) as server,
        http_sink(answer=f"do not send {CANARY} here".encode()) as http,
        smtp_sink(password=CANARY, **refused) as smtp,
    ):
        config = CONFIG.format(feed=server.url("/feed"), smtp=smtp.port, http=http.port, step=step)
        (tmp_path / "config.toml").write_text(config)
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "nato.toml").write_text(RULES)
        outputs = {each: await said_by(tmp_path / "config.toml", capfd, *each) for each in COMMANDS}
    assert bool(smtp.mails) == (step == "200")
    tried = {part for each in http.posted for part in each.path.split("/")}
    assert tried >= {CANARY, "api"}
    assert {command for command, text in outputs.items() if CANARY in text} == set()
    assert not any("Nothing was changed" in text for text in outputs.values())
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("monitor.db*"))
    assert CANARY.encode() not in stored
