"""The pictures in docs/: made of pages that load nothing, small, and shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from tests.pictures import MOST_BYTES, Picture, pictures

DOCS = Path(__file__).parent.parent / "docs"
SHOWN = re.compile(r"pictures/([a-z-]+\.png)")
PICTURES = pictures()


@pytest.mark.parametrize("picture", PICTURES, ids=[each.name for each in PICTURES])
def test_a_page_loads_nothing_and_its_picture_is_small(picture: Picture) -> None:
    page = HTMLParser(picture.html)
    assert page.css("img, script, link, iframe") == []
    assert "PATRIOT" in picture.html or "NATO" in picture.html
    assert 0 < (DOCS / f"pictures/{picture.name}.png").stat().st_size <= MOST_BYTES


def test_every_picture_is_shown_and_exists() -> None:
    shown = set(SHOWN.findall((DOCS / "alerts.md").read_text(encoding="utf-8")))
    assert shown == {f"{each.name}.png" for each in PICTURES}
    assert shown == {path.name for path in (DOCS / "pictures").glob("*.png")}
    readme = set(SHOWN.findall((DOCS.parent / "README.md").read_text(encoding="utf-8")))
    assert readme <= shown
    assert readme
