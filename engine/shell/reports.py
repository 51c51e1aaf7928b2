"""Reports of what trading cost, made beside a running engine: its own command, as a process that yields to it."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from engine import messages as m

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 150.0
NICE = 10


class Reports:
    """Of the journal in one venue's folder; one at a time."""

    def __init__(self, data: Path, venue: str, command: Sequence[str] = (sys.executable, "-m", "engine")) -> None:
        self._data, self._venue, self._command = data.absolute(), venue, command
        self._one = asyncio.Semaphore(1)

    async def make(self, asked: m.AskCost) -> m.Costed:
        """The file asked for; several as a zip."""
        async with self._one:
            with tempfile.TemporaryDirectory(prefix="tidegate-report-") as folder:
                reason = await self._run(asked, Path(folder))
                if reason:
                    return m.Costed(id=asked.id, reason=reason)
                name, data = await asyncio.to_thread(packed, Path(folder))
                return m.Costed(id=asked.id, name=name, data=data)

    async def _run(self, asked: m.AskCost, folder: Path) -> str:
        words = ["report", *asked.parents, "--data", str(self._data), "--venue", self._venue, "--to", str(folder),
                 "--format", asked.form]  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            *self._command, *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE, cwd=ROOT, preexec_fn=_yielding,
        )  # fmt: skip
        try:
            _, said = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            return f"the report was not done in {PATIENCE_S:.0f} s"
        if process.returncode:
            return (said.decode(errors="replace").strip().splitlines() or ["the report could not be made"])[-1]
        return ""


def packed(folder: Path) -> tuple[str, bytes]:
    """A folder's one file as it is, several as a zip."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    if len(files) == 1:
        return files[0].name, files[0].read_bytes()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.name)
    return f"costs-{files[0].suffix.lstrip('.')}.zip" if files else "costs.zip", out.getvalue()


def _yielding() -> None:
    os.nice(NICE)
