"""Setting up: a shell script stands for Python, so that nothing is really installed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest

from monitor import bootstrap
from monitor.bootstrap import Here, SetupFailed, Stamp, ensure, read_stamp, write_stamp

ROOT = Path(__file__).parents[1]

# Does what the arguments ask of a Python: `-m venv DIR`, `-m pip …`, `-c CODE`; notes all it does.
FAKE_PYTHON = """#!/bin/sh
echo "$@" >> "{log}"
case "$1 $2" in
  "-m venv")
    [ -e "{root}/no-ensurepip" ] && echo "ensurepip is not available" && exit 1
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip")
    [ -e "{root}/offline" ] && echo "ERROR: No matching distribution found" >&2 && exit 1
    exit 0 ;;
  "-c import sys; print"*) echo 3.11 ;;
  *) [ -e "{root}/complete" ] ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "constraints.txt").write_text("click==1\n")
    fake = tmp_path / "python"
    fake.write_text(FAKE_PYTHON.format(log=tmp_path / "log", root=tmp_path))
    fake.chmod(0o755)
    return tmp_path


def here(project: Path, **changes: object) -> Here:
    values = {
        "prefix": Path("/usr"),
        "base": str(project / "python"),
        "version": "3.11",
        "complete": False,
    }
    return Here(**(values | changes))  # type: ignore[arg-type]


def done(project: Path, word: str) -> int:
    """How often a command with *word* in it was run."""
    log = project / "log"
    return log.read_text().count(word) if log.exists() else 0


def test_a_first_start_makes_the_environment_and_installs_with_constraints(project: Path) -> None:
    assert ensure(project, here(project), dev=False) == project / ".venv/bin/python"
    assert done(project, "-m venv") == 1
    assert done(project, "-e . -c constraints.txt") == 1
    assert read_stamp(project / ".venv") == Stamp(
        made=True, digest=bootstrap.digest_of(project), python="3.11"
    )


def test_a_second_start_runs_nothing(project: Path) -> None:
    ensure(project, here(project), dev=False)
    before = (project / "log").read_text()
    ensure(project, here(project), dev=False)
    assert (project / "log").read_text() == before


def test_inside_the_environment_nothing_is_handed_over(project: Path) -> None:
    ensure(project, here(project), dev=False)
    assert ensure(project, here(project, prefix=project / ".venv"), dev=False) is None


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_installs_again_into_the_same_environment(project: Path, name: str) -> None:
    ensure(project, here(project), dev=False)
    with (project / name).open("a") as file:
        file.write("# changed\n")
    ensure(project, here(project), dev=False)
    assert done(project, "-m pip install") == 2
    assert done(project, "-m venv") == 1


def test_the_tests_add_the_dev_extra_and_later_starts_keep_it(project: Path) -> None:
    ensure(project, here(project), dev=False)
    ensure(project, here(project), dev=True)
    assert done(project, "-e .[dev]") == 1
    with (project / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    ensure(project, here(project), dev=False)
    assert done(project, "-e .[dev]") == 2


STARTED = """
import sys
from pathlib import Path
from monitor import bootstrap
bootstrap.ROOT = Path(sys.argv[1])
sys._base_executable = sys.argv[1] + "/python"
bootstrap.start(["once"])
"""


@pytest.mark.parametrize(("trouble", "code"), [("complete", 0), ("offline", 2)])
def test_closed_streams_stop_no_start(project: Path, trouble: str, code: int) -> None:
    (project / trouble).touch()
    python = getattr(sys, "_base_executable", sys.executable)  # which has nothing installed
    shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
    started = subprocess.run([*shell, python, "-c", STARTED, project], cwd=ROOT)
    assert started.returncode == code
    assert done(project, "run_monitor.py once") == (trouble == "complete")


def test_what_is_installed_already_is_used(project: Path) -> None:
    assert ensure(project, here(project, complete=True), dev=False) is None
    assert not (project / ".venv").exists()


def test_an_environment_made_by_hand_is_used(project: Path) -> None:
    (project / ".venv/bin").mkdir(parents=True)
    shutil.copy(project / "python", project / ".venv/bin/python")
    (project / "complete").touch()
    assert ensure(project, here(project), dev=False) == project / ".venv/bin/python"
    assert done(project, "-m pip") == 0


def test_an_environment_made_by_hand_is_never_deleted(project: Path) -> None:
    (project / ".venv/bin").mkdir(parents=True)
    (project / ".venv/precious").touch()
    with pytest.raises(SetupFailed, match="remove it and start again"):
        ensure(project, here(project), dev=False)
    assert (project / ".venv/precious").exists()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda venv: write_stamp(venv, Stamp(made=False)), id="interrupted"),
        pytest.param(lambda venv: (venv / bootstrap.STAMP).write_text("{"), id="half a stamp"),
        pytest.param(lambda venv: (venv / "bin/python").unlink(), id="its Python is gone"),
    ],
)
def test_a_half_made_environment_is_made_again(project: Path, damage: object) -> None:
    ensure(project, here(project), dev=False)
    assert callable(damage)
    damage(project / ".venv")
    ensure(project, here(project), dev=False)
    assert done(project, "-m venv") == 2


def test_another_minor_version_of_python_makes_the_environment_again(project: Path) -> None:
    ensure(project, here(project), dev=False)
    stamp = read_stamp(project / ".venv")
    assert stamp is not None
    write_stamp(project / ".venv", Stamp(made=True, digest=stamp.digest, python="3.9"))
    ensure(project, here(project, prefix=project / ".venv"), dev=False)
    assert done(project, "-m venv") == 2


def test_a_missing_debian_package_is_named(project: Path) -> None:
    (project / "no-ensurepip").touch()
    with pytest.raises(SetupFailed, match=re.escape("apt install python3.11-venv")):
        ensure(project, here(project), dev=False)
    (project / "no-ensurepip").unlink()
    ensure(project, here(project), dev=False)


def test_offline_is_said_and_the_next_start_tries_again(project: Path) -> None:
    (project / "offline").touch()
    with pytest.raises(SetupFailed, match="No matching distribution"):
        ensure(project, here(project), dev=False)
    (project / "offline").unlink()
    ensure(project, here(project), dev=False)
    assert done(project, "-m venv") == 1


def test_a_second_start_waits_for_the_first(project: Path) -> None:
    with (project / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = threading.Thread(
            target=ensure, args=(project, here(project)), kwargs={"dev": False}
        )
        second.start()
        second.join(0.2)
        assert second.is_alive()
        assert done(project, "-m venv") == 0
    second.join(10)
    assert done(project, "-m venv") == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_names_setup(project: Path) -> None:
    project.chmod(0o555)
    try:
        with pytest.raises(SetupFailed, match=r"run_monitor\.py setup"):
            ensure(project, here(project), dev=False)
    finally:
        project.chmod(0o755)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_a_python_in_somebodys_home_is_named(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "python").touch(0o755)
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(home / "python")
    home.chmod(0o000)
    try:
        with pytest.raises(SetupFailed, match="home/python, which this user may not run"):
            ensure(project, here(project), dev=False)
    finally:
        home.chmod(0o755)


def test_every_required_package_is_probed() -> None:
    """The modules looked for are those of the packages in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    modules = {"google-re2": "re2", "import-linter": "importlinter"}
    modules |= {"pyahocorasick": "ahocorasick", "pytest-xdist": "xdist"}

    def named(requirements: list[str]) -> set[str]:
        names = (re.split(r"[<>=]", requirement)[0] for requirement in requirements)
        return {modules.get(name, name.replace("-", "_")) for name in names}

    assert named(project["dependencies"]) == set(bootstrap.MODULES)
    assert named(project["optional-dependencies"]["dev"]) == set(bootstrap.DEV_MODULES)


def test_constraints_pin_every_package_and_contain_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text()
    pins = {line.partition("==")[0] for line in text.splitlines()}
    assert "://" not in text
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert {re.split(r"[<>=]", name)[0] for name in wanted} <= pins


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.10"])
def test_an_old_python_gets_a_sentence(version: str) -> None:
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "--version"], capture_output=True).returncode:
        pytest.skip(f"no Python {version} here")
    told = subprocess.run(
        [python, str(ROOT / "run_monitor.py")], capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert f"needs Python 3.11 or newer; this is Python {version}" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["test"], True),
        (["bench", "poll"], True),
        (["bench", "--help"], False),
        (["test", "-h"], False),
        (["status"], False),
        ([], False),
    ],
)
def test_what_needs_the_tools_of_developers(arguments: list[str], needed: bool) -> None:
    assert bootstrap.needs_dev(arguments) is needed
