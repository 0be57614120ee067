"""Secrets of config.toml, from the environment and from files; where to note what is wrong."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import Problem
from monitor.tomlfile import TomlDocument

Where = tuple[str | int, ...]

_OTHERS_MAY_READ = stat.S_IROTH
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Findings:
    """The document being read, and what is wrong with it so far."""

    document: TomlDocument
    problems: list[Problem]

    def add(self, where: Where, what: str, remedy: str = "", *, warning: bool = False) -> None:
        self.problems.append(
            Problem(
                file=self.document.name,
                line=self.document.line(*where),
                what=what,
                remedy=remedy,
                warning=warning,
            )
        )

    def place(self, where: Where) -> str:
        return f"{self.document.name}:{self.document.line(*where)}"


def shown(path: Path) -> str:
    """*path* as messages name it: short if it lies below the current directory."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


@dataclass(frozen=True, slots=True)
class SecretReader:
    """Reads secrets that the configuration at *path* names; what is wrong goes to *findings*."""

    path: Path
    environment: Mapping[str, str]
    findings: Findings
    need_secrets: bool = True  # False: a secret that cannot be read is only a warning

    def filled_in(self, where: Where, who: str, text: str, instead: str) -> str | None:
        """*text* with ``${NAME}`` replaced from the environment; None if one is not set."""
        unset = [name for name in _VARIABLE.findall(text) if not self.environment.get(name)]
        for name in dict.fromkeys(unset):
            self._miss(where, f"{who}: {name} is not set", f"export it or {instead}")
        if unset:
            return None
        return _VARIABLE.sub(lambda found: self.environment[found[1]], text).strip()

    def _miss(self, where: Where, what: str, remedy: str = "") -> None:
        self.findings.add(where, what, remedy, warning=not self.need_secrets)

    def secret_file(self, where: Where, who: str, name: str) -> str | None:
        path = self.path.resolve().parent / Path(name).expanduser()
        try:
            secret = path.read_text("utf-8").strip()
            mode = path.stat().st_mode
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8 text"
            self._miss(where, f"{who}: cannot read {shown(path)}: {why}")
            return None
        if not secret or "\n" in secret:
            self.findings.add(where, f"{who}: {shown(path)} must hold one line, the secret")
            return None
        if mode & _OTHERS_MAY_READ:
            self._warn_readable(where, who, path)
        return secret

    def variables_in(self, text: str) -> list[str]:
        """The values that ``filled_in`` puts into *text*."""
        return [value for name in _VARIABLE.findall(text) if (value := self.environment.get(name))]

    def warn_of_literal(self, where: Where, who: str, text: str) -> None:
        """A secret written into the configuration is safe only if others cannot read that."""
        if text and not _VARIABLE.search(text) and self.path.stat().st_mode & _OTHERS_MAY_READ:
            self._warn_readable(where, f"{who} has a secret in it, and", self.path)

    def _warn_readable(self, where: Where, who: str, path: Path) -> None:
        what = f"{who}: everybody on this machine can read {shown(path)}".replace("and: ", "and ")
        self.findings.add(where, what, f"chmod o-r {shown(path)}", warning=True)
