"""config.toml replaced by an edited form that ``check`` would accept; works beside the daemon."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from monitor import config
from monitor.configsecrets import shown
from monitor.errors import ConfigError, NotWritten, Problem
from monitor.language import detector
from monitor.pipeline.in_force import joint_problems
from monitor.pipeline.last_list import last_good
from monitor.rules.load import RuleSet, load, read_folder
from monitor.settings import Config
from monitor.store.access import as_whom
from monitor.wholefile import replace_file

LIVE = "A running monitor takes it over within seconds."


def rewrite(path: Path, edit: Callable[[str], str]) -> tuple[Problem, ...]:
    """Replace the configuration at *path* by its edited form; what is to be warned of since.

    Raises ConfigError if that form has mistakes, NotWritten if somebody else edits it just now;
    then nothing was changed.
    """
    with _alone(path.resolve().parent):
        before = path.read_bytes()
        after = edit(before.decode()).encode()
        warnings = _new_warnings(path, before, after)
        if path.read_bytes() != before:
            raise NotWritten(f"{shown(path)} is being edited; nothing was written. Try again")
        try:
            replace_file(path, after)
        except OSError as error:
            what = f"cannot be written: {error.strerror}"
            problem = Problem(file=shown(path), what=what, remedy=as_whom(path))
            raise ConfigError([problem]) from None
    return warnings


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One edit after the other: the lock is the folder's, and leaves no file behind."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network shares know no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _new_warnings(path: Path, before: bytes, after: bytes) -> tuple[Problem, ...]:
    """What the edit brings about; raises ConfigError.  Secrets may be known to the daemon only."""
    read = partial(config.read, path, need_secrets=False, last_good=last_good)
    (old, known), (new, warnings) = read(text=before), read(text=after)
    rules = rules_in_files(new)
    if rules is not None:
        known = (*known, *joint_problems(old, rules))
        warnings = (*warnings, *joint_problems(new, rules))
    said = {(each.file, each.where, each.what) for each in known}
    fresh = [each for each in warnings if (each.file, each.where, each.what) not in said]
    errors = [each for each in fresh if not each.warning]
    if errors:
        raise ConfigError(errors)
    return tuple(fresh)


def rules_in_files(settings: Config) -> RuleSet | None:
    """The rules as they stand in the files; None if those have mistakes, which ``check`` tells."""
    try:
        return load(read_folder(settings.rules), detect=detector())
    except ConfigError:
        return None
