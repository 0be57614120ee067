"""A web page as news sites have them: an article, and much around it."""

from __future__ import annotations

PARAGRAPHS = (
    "The ministers agreed on Thursday to spend more on ammunition and to buy it together, an"
    " official said after the talks, which had lasted until the early morning.",
    "Washington will sell the alliance launchers worth 400 million euros under its Foreign Military"
    " Sales programme, two people who were in the room said.",
    "The first of them are expected next spring. Parliament still has to agree, and the opposition"
    " has said that it wants to see the contracts before it votes.",
)


def page(last: str = "", *, charset: str = "", paragraphs: tuple[str, ...] = PARAGRAPHS) -> str:
    text = "".join(f"<p>{paragraph}</p>" for paragraph in (*paragraphs, last))
    meta = f'<meta charset="{charset}">' if charset else ""
    menu = "".join(f'<li><a href="/{word}">{word}</a></li>' for word in ("World", "Sport", "Money"))
    return (
        f"<!doctype html><html><head>{meta}<title>Ministers agree</title>"
        f"<script>alert('x')</script></head><body><nav><ul>{menu}</ul></nav>"
        f"<article><h1>Ministers agree</h1>{text}</article>"
        "<aside><h2>Most read</h2><ul><li><a href='/2'>A cat in a tree</a></li></ul></aside>"
        "<footer>Cookies and terms of use</footer></body></html>"
    )
