"""What the running engine imports of the forecast brings no torch with it, nor scikit-learn."""

from __future__ import annotations

import subprocess
import sys

RUNNING = ("features", "stream", "baseline", "calibrate", "skill")


def test_the_running_engine_imports_neither_torch_nor_sklearn() -> None:
    imports = "; ".join(f"import engine.forecast.{name}" for name in RUNNING)
    script = f"import sys; {imports}; import engine.core.market; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "numpy" in loaded
    assert not loaded & {"torch", "sklearn"}
