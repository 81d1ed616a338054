"""``python -m tests.golden``: write the kept result anew."""

from __future__ import annotations

from . import RESULT, produced

if __name__ == "__main__":
    RESULT.write_bytes(produced())
    print(f"{RESULT.name} is written; read its difference before you commit it")
