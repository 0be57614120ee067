"""config.toml and the OPML files it names, as they are on disk."""

from __future__ import annotations

from pathlib import Path

from monitor.configopml import named_in
from monitor.rules.watch import Stamp, read_stamps


class ConfigFiles:
    """Looks at them; also at those that a config.toml names that is not in force, being broken."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._own: dict[str, Stamp] | None = None
        self._named: tuple[str, ...] = ()

    def stamps(self) -> dict[str, Stamp]:
        """Path → stamp of each that is there."""
        own = read_stamps(self._path)
        if own != self._own:
            self._own, self._named = own, named_in(Path(self._path))
        return own | {path: stamp for path in self._named for stamp in read_stamps(path).values()}
