"""Bar charts as SVG, written by hand: legible on light and dark grounds, no fonts, no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, LABEL, BAR, GAP, GROUP = 760, 250, 16, 4, 14  # pixels
RIGHT = 90  # for the figure behind a bar

STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.plain { fill: #8c959f }
.ours { fill: #1a7f37 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.plain { fill: #6e7681 }
.ours { fill: #3fb950 }
}
</style>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar and what stands behind it."""

    value: float
    told: str
    ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Bars that are compared with each other."""

    name: str
    bars: Sequence[Bar]


def chart(title: str, groups: Sequence[Group]) -> str:
    """Horizontal bars, all on one scale."""
    most = max(bar.value for group in groups for bar in group.bars)
    parts, y = [f'<text class="title" x="0" y="16">{escape(title)}</text>'], 34
    for group in groups:
        parts.append(_text(LABEL - 10, y, group.name, "end"))
        for bar in group.bars:
            parts += _bar(bar, y, (WIDTH - LABEL - RIGHT) / most)
            y += BAR + GAP
        y += GROUP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img"'
        f' aria-label="{escape(title, {chr(34): "&quot;"})}">'
    )
    return "\n".join([head, STYLE, *parts, "</svg>", ""])


def _bar(bar: Bar, y: int, scale: float) -> list[str]:
    width = max(1.0, bar.value * scale)
    kind = "ours" if bar.ours else "plain"
    return [
        f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>',
        _text(LABEL + width + 6, y, bar.told, "start"),
    ]


def _text(x: float, y: int, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y + BAR - 3}" text-anchor="{anchor}">{escape(text)}</text>'
