"""Where the benchmark keeps things, and how it starts the programs that it compares.

Corpora, truths and the rivals' environment are made when they are missing and kept under
``build/benchmarks``. Corpora and truths are made in processes of their own, for the sake of memory.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

from benchmarks.corpus import cached_name
from benchmarks.measure import warm

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / "build" / "benchmarks"
RESULTS = HERE / "results"
REQUIREMENTS = HERE / "requirements.txt"
RIVALS = (
    "gaoya_lsh", "rensa_lsh",
    "datasketch_processes", "datasketch_generator", "datasketch_update_batch", "datasketch_readme",
)  # fmt: skip


def corpus(shape: str, megabytes: float, seed: int = 1) -> Path:
    """The corpus of that shape and size, built if need be, and in the page cache."""
    path = BUILD / cached_name(shape, megabytes, seed)
    if not path.exists():
        say(f"building {path.name}")
        options = ["--shape", shape, "--megabytes", str(megabytes), "--seed", str(seed), "--out", str(path)]
        subprocess.run([sys.executable, "-m", "benchmarks.corpus", *options], cwd=ROOT, check=True)
    warm(path)
    return path


def truth(corpus_path: Path) -> Path:
    """The exact pairs of a corpus, computed if need be."""
    path = corpus_path.with_suffix(".truth.tsv")
    if not path.exists():
        say(f"computing {path.name}")
        command = [sys.executable, "-m", "benchmarks.truth", str(corpus_path), "--out", str(path)]
        subprocess.run(command, cwd=ROOT, check=True)
    return path


def rivals_python(given: Path | None) -> Path:
    """An interpreter that has the rivals: the one given, else that of an environment made here."""
    if given:
        return given.absolute()
    return _environment("rivals", REQUIREMENTS.read_bytes(), "-r", str(REQUIREMENTS)) / "python"


def dedup_command(corpus_path: Path, out: Path, *options: str) -> list[str]:
    """``dedup scan`` with a JSON result."""
    return [dedup(), "scan", str(corpus_path), *options, "--format", "json", "-o", str(out)]


def dedup() -> str:
    """The command, as pip installs it."""
    sources = [
        ROOT / "setup.py",
        ROOT / "setup.cfg",
        ROOT / "pyproject.toml",
        *(ROOT / "dedup").rglob("*.*pp"),
    ]
    sources += [*(ROOT / "dedup").rglob("*.py"), *(ROOT / "dedup").rglob("*.json")]
    content = b"".join(source.read_bytes() for source in sorted(sources))
    return str(_environment("dedup", content, str(ROOT)) / "dedup")


def _environment(name: str, content: bytes, *requirements: str) -> Path:
    """Where the commands of an environment are that holds the requirements; made anew for other content."""
    home = BUILD / f"{name}-{sha256(content).hexdigest()[:12]}"
    commands = home / ("Scripts" if os.name == "nt" else "bin")
    if not (home / "complete").exists():
        say(f"installing {name}")
        venv.create(home, with_pip=True, clear=True)
        pip = [str(commands / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *requirements], check=True)
        (home / "complete").touch()
    return commands


def rival_command(python: Path, name: str, corpus_path: Path, out: Path, *options: str) -> list[str]:
    """One of the scripts in ``rivals``."""
    return [str(python), str(HERE / "rivals" / f"{name}.py"), str(corpus_path), str(out), *options]


def machine() -> str:
    """Processor, cores, memory, system and Python, in one line."""
    model = platform.processor() or platform.machine()
    memory = ""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
        kilobytes = int(Path("/proc/meminfo").read_text(encoding="ascii").split()[1])
        memory = f", {kilobytes * 1024 / 1e9:.0f} GB"
    except OSError:
        pass
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores{memory}; {platform.system()} {platform.release()}; {python}"


def fingerprint(path: Path) -> str:
    """The first 16 hexadecimal digits of a file's SHA-256."""
    digest = sha256()
    with path.open("rb") as content:
        while block := content.read(1 << 24):
            digest.update(block)
    return digest.hexdigest()[:16]


def say(message: str) -> None:
    """Tell how far it has come, on stderr."""
    print(message, file=sys.stderr, flush=True)
