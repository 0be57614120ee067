"""Writes measured tables and pictures into a page, between marks; all else there stays.

<!-- measured: poll -->
… replaced …
<!-- end -->
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


class NoMark(Exception):
    """The page has no place for what was measured."""


def written(page: str, parts: Mapping[str, str]) -> str:
    """*page* with each of *parts* between its marks."""
    for name, part in parts.items():
        pattern = re.compile(
            rf"(<!-- measured: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL
        )
        page, found = pattern.subn(lambda mark, part=part: f"{mark[1]}{part}\n{mark[2]}", page)
        if not found:
            raise NoMark(f'there is no "<!-- measured: {name} -->" … "<!-- end -->" in it')
    return page


def write(path: Path, parts: Mapping[str, str], pictures: Mapping[str, str]) -> None:
    """*pictures* by their file name, in the folder ``pictures`` beside the page."""
    path.write_text(written(path.read_text("utf-8"), parts), "utf-8")
    folder = path.parent / "pictures"
    folder.mkdir(exist_ok=True)
    for name, picture in pictures.items():
        (folder / name).write_text(picture, "utf-8")
