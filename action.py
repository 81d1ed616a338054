"""The check of the GitHub action: inputs become options of ``dedup check``, its result becomes outputs.

Enters: the inputs, as ``DEDUP_ACTION_*`` variables (see ``action.yml``). Leaves: what ``dedup check`` writes, its exit
code, and lines in ``GITHUB_OUTPUT``, none of them if there was an error. No shell sees the inputs.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile


def main() -> int:
    """Runs the check."""
    given = {
        name: os.environ[f"DEDUP_ACTION_{name}"] for name in ("BIN", "PATHS", "ARGS", "SARIF", "MARKDOWN")
    }
    try:
        words = shlex.split(given["ARGS"])
    except ValueError as error:
        print(f"dedup: the input args: {error}", file=sys.stderr)
        return 2
    result = os.path.join(tempfile.mkdtemp(prefix="dedup-", dir=os.environ["RUNNER_TEMP"]), "result.json")
    reports = ["--format=github", f"--format=json={result}"]
    reports += [f"--format={name.lower()}={given[name]}" for name in ("SARIF", "MARKDOWN") if given[name]]
    paths = [path for line in given["PATHS"].split("\n") if (path := line.strip())]
    dedup = os.path.join(given["BIN"], "dedup")
    code = subprocess.run([dedup, "check", *reports, *words, "--", *paths], check=False).returncode
    if os.path.exists(result):
        with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in outputs(result))
    return code


def outputs(result: str) -> list[str]:
    """What later steps may ask for."""
    with open(result, encoding="utf-8") as file:
        gate = json.load(file)["gate"]
    known = gate["known"] + gate["moved"] + gate["edited"]
    return [
        f"passed={str(gate['passed']).lower()}",
        f"new={gate['new']}",
        f"known={known}",
        f"result={result}",
    ]


if __name__ == "__main__":
    sys.exit(main())
