"""Machine code gives the numbers of the Python it was made from, and does without a place to keep it."""

from __future__ import annotations

import ast
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.compiled import compiled, part

ENGINE = Path(engine.__file__).parent
SOURCE = """
@part
def square(x):
    return x * x

@compiled("f8(f8[::1])")
def length(values):
    total = 0.0
    for value in values:
        total += square(value)
    return math.sqrt(total) / values[0]
"""


def length() -> Any:
    """Made from text, which has no folder to keep machine code in."""
    names: dict[str, Any] = {"compiled": compiled, "part": part, "math": math}
    exec(SOURCE, names)  # what is tested is code without a file
    return names["length"]


def test_without_a_file_to_keep_it_beside_it_is_compiled_all_the_same() -> None:
    values = np.array([3.0, 4.0])
    assert length()(values) == length().py_func(values) == pytest.approx(5.0 / 3.0, rel=1e-15)


def test_on_a_full_disk_it_is_compiled_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "full.py").write_text(f"import math\nfrom engine.compiled import compiled, part\n{SOURCE}")
    full = "import resource, numba; resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))"
    said = "import numpy; from full import length; print(length(numpy.array([3.0, 4.0])))"
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ENGINE.parent}", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", f"{full}; {said}"], env=env, capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == pytest.approx(5.0 / 3.0, rel=1e-15)


@pytest.mark.parametrize("kept", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("left", [0, 40])
def test_machine_code_that_a_power_cut_has_cut_off_is_made_and_kept_anew(tmp_path: Path, kept: str, left: int) -> None:
    (tmp_path / "cut.py").write_text(f"import math\nfrom engine.compiled import compiled, part\n{SOURCE}")
    said = "import numpy; from cut import length; print(length(numpy.array([3.0, 4.0])), *length.stats.cache_hits)"
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ENGINE.parent}", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run() -> list[str]:
        done = subprocess.run([sys.executable, "-c", said], env=env, capture_output=True, text=True, check=True)
        return done.stdout.split()

    first = run()
    for path in (tmp_path / "cache").rglob(kept):
        os.truncate(path, left)
    assert run() == first
    assert run() == [*first, "f8(f8[::1])"]  # out of what is kept


def test_a_division_by_nothing_is_infinite_and_raises_nothing() -> None:
    assert length()(np.array([0.0, 1.0])) == math.inf


def test_other_types_than_stated_are_refused_not_compiled_anew() -> None:
    with pytest.raises(TypeError):
        length()(np.array([3, 4]))


def test_machine_code_hangs_on_nothing_of_another_file() -> None:
    """What is kept on disk is made anew when its own file has changed, and only then."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in ENGINE.rglob("*.py")}
    ours = {path: tree for path, tree in trees.items() if "engine.compiled" in imported(tree).values()}
    assert ours
    for path, tree in ours.items():
        foreign = {name for name, module in imported(tree).items() if module.startswith("engine")}
        for function in (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list):
            read = {node.id for line in function.body for node in ast.walk(line) if isinstance(node, ast.Name)}
            assert not read & foreign, f"{path.name}: {function.name}"


def imported(tree: ast.Module) -> dict[str, str]:
    """Names, and the modules that they come from."""
    froms = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.asname or alias.name: node.module or "" for node in froms for alias in node.names}
