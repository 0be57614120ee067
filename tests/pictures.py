"""Makes the pictures of messages in docs/: what the built-in layout really looks like.

    python -m tests.pictures [--chromium chromium] [--to docs/pictures] [--pages FOLDER]

Chromium, pngquant and fonts must be installed (Debian: chromium pngquant fonts-liberation
fonts-crosextra-carlito fonts-noto-color-emoji); nothing else of the project needs them.  With
``--pages`` the pages are kept, too, to be looked at in another browser.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from monitor.model import Message
from tests import pictured
from tests.chromium import Browser, browser

MOST_BYTES = 120_000
_BODY = re.compile(r'<body style="([^"]*)">')
_HEADER = """\
<div style="padding:14px 16px 12px;border-bottom:1px solid #80808060;font:14px/1.4 sans-serif">
<div style="max-width:640px;margin:0 auto">
<div style="font-size:17px;font-weight:600;margin-bottom:2px">{subject}</div>
<div style="color:#808080">News monitor &lt;monitor@example.org&gt; · to anna</div>
</div></div>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A page and the screen it is shown on."""

    name: str
    html: str
    width: int = 800
    height: int = 3000  # at most
    dark: bool = False
    scale: float = 1.0


def pictures() -> tuple[Picture, ...]:
    sale, update, digest, notice = (
        _in_a_mail_program(made())
        for made in (pictured.sale, pictured.update, pictured.digest, pictured.notice)
    )
    slack = _in_slack(pictured.sale("slack-bot"), pictured.update("slack-bot"))
    return (
        Picture(name="mail", html=sale),
        Picture(name="mail-dark", html=sale, dark=True),
        _on_a_phone("phone", sale),
        _on_a_phone("phone-dark", sale, dark=True),
        _on_a_phone("phone-update", update),
        _on_a_phone("phone-digest", digest, dark=True),
        _on_a_phone("phone-notice", notice),
        Picture(name="digest", html=digest),
        Picture(name="slack", html=slack, width=720),
        Picture(name="slack-digest", html=_in_slack(pictured.digest("slack-bot")), width=720),
    )


def _on_a_phone(name: str, html: str, *, dark: bool = False) -> Picture:
    """The first screen of it."""
    return Picture(name=name, html=html, width=390, height=780, dark=dark, scale=1.5)


# --- a mail, under the lines that every mail program shows


def _in_a_mail_program(message: Message) -> str:
    """The mail's own page, with its subject and sender above it."""
    header = _HEADER.format(subject=escape(message.subject))
    found = _BODY.search(message.html)
    assert found is not None
    begun = f'<body style="margin:0">{header}<div style="{found[1]}">'
    return message.html.replace(found[0], begun).replace("</body>", "</div></body>")


# --- Slack's look, drawn by us


_SLACK = """\
<!DOCTYPE html><html><head><meta charset="utf-8"><style>
body {{ margin: 0; padding: 16px 20px; background: #fff; color: #1d1c1d; overflow-wrap: anywhere;
  font: 15px/1.46 Lato, Carlito, "Liberation Sans", sans-serif }}
.message {{ display: flex; gap: 10px; margin-bottom: 4px }}
.reply {{ margin: 14px 0 0 46px; padding-top: 12px; border-top: 1px solid #ddd }}
.face {{ flex: none; width: 36px; height: 36px; border-radius: 8px; background: #1f3a5f;
  color: #fff; font: 600 19px/36px sans-serif; text-align: center }}
.app {{ background: #ddd; color: #616061; border-radius: 2px; font-size: 10px; font-weight: 600;
  padding: 1px 3px; vertical-align: 2px }}
.time {{ color: #616061; font-size: 12px }}
.text {{ white-space: pre-wrap }}
a {{ color: #1264a3; text-decoration: none }}
hr {{ border: 0; border-top: 1px solid #ddd; margin: 12px 0 }}
blockquote {{ margin: 4px 0; padding-left: 14px; border-left: 4px solid #ddd }}
.context {{ color: #616061; font-size: 13px; white-space: pre-wrap; margin-top: 4px }}
ul {{ margin: 2px 0; padding-left: 26px }}
</style></head><body>{messages}</body></html>
"""


def _in_slack(*messages: Message) -> str:
    """The first message in a channel, the others as answers in its thread."""
    drawn = [
        _posted(message, "message" if at == 0 else "message reply")
        for at, message in enumerate(messages)
    ]
    return _SLACK.format(messages="".join(drawn))


def _posted(message: Message, kind: str) -> str:
    found = json.loads(message.payload)["blocks"]
    time = f"{message.created_at:%H:%M}"
    return (
        f'<div class="{kind}"><div class="face">N</div><div><div><b>News monitor</b>'
        f' <span class="app">APP</span> <span class="time">{time}</span></div>'
        f"{''.join(map(_block, found))}</div></div>"
    )


def _block(block: Mapping[str, Any]) -> str:
    if block["type"] == "divider":
        return "<hr>"
    if block["type"] == "context":
        return f'<div class="context">{escape(block["elements"][0]["text"])}</div>'
    return "".join(map(_part, block["elements"]))


def _part(part: Mapping[str, Any]) -> str:
    if part["type"] == "rich_text_list":
        return f"<ul>{''.join(f'<li>{_inner(each)}</li>' for each in part['elements'])}</ul>"
    tag = {"rich_text_section": "div", "rich_text_quote": "blockquote"}[part["type"]]
    return f'<{tag} class="text">{_inner(part)}</{tag}>'


def _inner(part: Mapping[str, Any]) -> str:
    return "".join(map(_element, part["elements"]))


def _element(element: Mapping[str, Any]) -> str:
    shown = escape(element.get("text") or element["url"])
    for style, tag in (("bold", "b"), ("italic", "i")):
        if element.get("style", {}).get(style):
            shown = f"<{tag}>{shown}</{tag}>"
    return f'<a href="#">{shown}</a>' if element["type"] == "link" else shown


# --- the command


def _smaller(png: bytes) -> bytes:
    """*png* with few colours, which is enough for text on a ground."""
    command = ["pngquant", "--speed", "1", "--nofs", "64", "-"]
    return subprocess.run(command, input=png, stdout=subprocess.PIPE, check=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--chromium", default="chromium", help="the program")
    parser.add_argument("--to", type=Path, default=Path("docs/pictures"), help="a folder")
    parser.add_argument("--pages", type=Path, help="a folder for the pages")
    options = parser.parse_args()
    found = pictures()
    if options.pages:
        _keep(found, options.pages)
    options.to.mkdir(parents=True, exist_ok=True)
    with browser(options.chromium) as opened:
        for each in found:
            png = _smaller(_taken(opened, each))
            if len(png) > MOST_BYTES:
                raise SystemExit(f"{each.name}.png has {len(png)} bytes; at most {MOST_BYTES}")
            (options.to / f"{each.name}.png").write_bytes(png)
            sys.stdout.write(f"{each.name}.png: {len(png) // 1000} kB\n")
    return 0


def _keep(found: Iterable[Picture], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for each in found:
        (folder / f"{each.name}.html").write_text(each.html, encoding="utf-8")


def _taken(opened: Browser, each: Picture) -> bytes:
    return opened.picture(
        each.html, width=each.width, height=each.height, dark=each.dark, scale=each.scale
    )


if __name__ == "__main__":
    sys.exit(main())
