"""`make proof`: the long evidence. Each proof is a command that prints one JSON object last; what it printed is kept in
`.proof/` under the code's and the model's hash, so a proof that has been made for this code is not made again, and one
that was interrupted is the only one to begin anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".proof"


class Proof(NamedTuple):
    name: str
    command: tuple[str, ...]  # after `python -m`
    env: Mapping[str, str] = MappingProxyType({})
    lines: bool = False  # prints no JSON: its last line is kept


PROOFS = (
    Proof("fuzz", ("tests.paper.fuzz", "--frames", "1000000", "--seed", "1")),
    Proof("venue-soak", ("tests.soak", "--minutes", "30", "--speed", "10")),
    Proof("venue-facts", ("engine", "evaluate", "venue", "--json")),
    Proof("surface", ("engine", "evaluate", "surface", "--json")),
    Proof("cuts", ("pytest", "tests/core/test_cut.py"), {"TIDEGATE_CUTS": "all"}, True),
    Proof("kills", ("pytest", "tests/journeys/test_crash.py"), {"TIDEGATE_KILLS": "200"}, True),
)


def key() -> str:
    """What the evidence stands on: every source file and every shipped weight."""
    whole = hashlib.sha256()
    names = subprocess.run(
        ["git", "ls-files", "*.py", "*.weights"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in sorted(names.stdout.split()):
        if (ROOT / name).exists():
            whole.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
    return whole.hexdigest()[:16]


def prove(proof: Proof, kept: Path) -> dict[str, Any]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-m", *proof.command], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **proof.env}, check=False)  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    last = (done.stdout.strip().splitlines() or ["nothing was said"])[-1]
    result = {
        "ok": done.returncode == 0, "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime),
        "said": last if proof.lines or done.returncode else json.loads(last),
    }  # fmt: skip
    if result["ok"]:
        kept.write_text(json.dumps(result))
    return result


def main() -> int:
    chosen = set(sys.argv[1:]) or {proof.name for proof in PROOFS}
    if unknown := chosen - {proof.name for proof in PROOFS}:
        print(f"there is no proof called {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    KEPT.mkdir(exist_ok=True)
    results = {}
    for proof in (proof for proof in PROOFS if proof.name in chosen):
        kept = KEPT / f"{proof.name}-{key()}.json"
        print(
            f"{proof.name}: {'made before for this code' if kept.exists() else 'begins'}", file=sys.stderr, flush=True
        )
        results[proof.name] = json.loads(kept.read_text()) if kept.exists() else prove(proof, kept)
        print(f"{proof.name}: {json.dumps(results[proof.name])}", file=sys.stderr, flush=True)
    print(json.dumps(results))
    return 0 if all(result["ok"] for result in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
