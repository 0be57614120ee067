"""What the benches count as the monitor's own CPU."""

from __future__ import annotations

import subprocess
import sys

from tests.bench.cycle import children, spent

BURN = "import time\nwhile time.process_time() < 0.5: pass\nprint('done', flush=True)\ninput()"


def test_children_are_counted_but_for_those_that_serve() -> None:
    others = children()
    begun, begun_without = spent(), spent(but_for=others)
    with subprocess.Popen(
        [sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as burner:
        assert burner.stdout is not None
        assert burner.stdout.readline() == "done\n"
        (farm,) = set(children()) - set(others)
        assert spent() - begun >= 0.5
        assert spent(but_for=[*others, farm]) - begun_without < 0.5
        burner.communicate("")
