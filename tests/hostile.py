"""Titles that attack whatever sets, sends or shows them."""

from __future__ import annotations

HOSTILE = {
    "header injection": "News\r\nBcc: everybody@example.org",
    "unicode line break": "News\u2028Bcc: everybody@example.org",
    "NUL": "Ne\x00ws",
    "encoded word": "=?utf-8?B?PHNjcmlwdD4=?=",
    "slack mention": "<!channel> <@U123> <!here|x> @here",
    "slack link": "<https://evil.example|Politico>",
    "html": '"><script>alert(1)</script><img src=https://evil.example/x.png>',
    "template": "{{7*7}} {0.__class__} %s ${HOME} {title}",
    "terminal": "\x1b[31mred\x1b]0;title\x07 \x9b31m",
    "rich markup": "[bold red]red[/] [link=file:///etc]x[/link]",
    "direction": "abc\u202egnp.exe\u2066",
    "surrogate": "x\ud800y",
    "blank": " \t\u200b ",
    "empty": "",
}
