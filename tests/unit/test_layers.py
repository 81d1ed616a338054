"""One direction: what may import what, read from the source; and what an import brings along."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dedup

PACKAGE = Path(dedup.__file__).parent

#: What each room of the package may import from the others, at run time. A folder is one room.
ALLOWED = {
    "errors": set(),
    "model": {"__init__", "errors", "table"},  # __init__: the version, which stands in a result
    "table": {"errors"},
    "kernel": {"errors"},
    "read": {"errors", "model"},
    "write": {"errors", "read"},  # of what is read, the names of formats and compressions
    "verdict": {"model"},
    "comparison": {"model"},
    "saved": {"errors", "model", "read", "verdict"},
    "lookup": {"errors", "model", "read"},
    "report": {"__init__", "comparison", "errors", "match", "model", "table", "verdict"},
    "manifest": {"errors"},
    "collect": {"kernel", "model"},
    "text": {"collect", "errors", "kernel", "model"},
    "sketch": {"errors", "kernel"},
    "band": {"kernel"},
    "match": {"kernel"},
    "kept": {"band", "kernel", "sketch"},
    "passages": {"kernel"},
    "cluster": {"kernel", "match"},
    "decide": {"errors"},
    "config": {"errors"},
    "star": {"cluster", "kernel", "match"},
    "result": {"cluster", "kernel", "model", "star", "text"},
    "stages": {
        "collect", "model", "kernel", "text", "sketch", "star", "band", "match", "passages", "cluster", "result",
    },
    "pipeline": {"collect", "errors", "model", "read", "stages"},
    "diff": {"band", "collect", "comparison", "errors", "model", "kernel", "text", "sketch", "pipeline"},
    "cache": {"__init__", "collect", "kernel", "model", "write", "pipeline", "text"},
    "index": {"errors", "kernel", "model", "sketch", "text", "write"},
    "filter": {
        "__init__", "collect", "errors", "index", "model", "kernel", "read", "write", "text", "match", "kept", "decide",
        "manifest", "pipeline",
    },
    "restore": {"errors", "manifest", "model", "read", "write"},
    "gate": {"cache", "errors", "index", "kernel", "model", "pipeline", "read", "result", "text", "verdict", "write"},
    "cli": {
        "__init__", "errors", "model", "kernel", "read", "report", "write", "decide", "pipeline", "filter", "restore",
        "config", "diff", "gate", "index", "lookup", "saved", "verdict",
    },
    "__init__": {"diff", "errors", "model", "pipeline", "saved"},
    "__main__": {"cli"},
}  # fmt: skip

#: Who alone imports these packages.
ALONE = {
    "click": {"cli"},
    "rapidfuzz": {"match"},
    "datasketch": {"sketch"},
    "orjson": {"cache", "index", "manifest", "read", "report", "saved"},
    "pathspec": {"read"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """The room that a module lies in."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def is_for_types_only(node: ast.AST) -> bool:
    """Whether it is an ``if TYPE_CHECKING:``."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imports(node: ast.AST, types: bool = True) -> list[ast.Import | ast.ImportFrom]:
    """All imports below a node, wherever they stand; without those for types unless ``types``."""
    found: list[ast.Import | ast.ImportFrom] = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            found.append(child)
        elif types or not is_for_types_only(child):
            found += imports(child, types)
        else:
            found += [i for other in child.orelse for i in imports(ast.Module([other], []), types)]
    return found


def names(path: Path, types: bool = True) -> set[str]:
    """The modules that a module imports, in full."""
    found: set[str] = set()
    package = ["dedup", *path.relative_to(PACKAGE).parts[:-1]]
    for node in imports(ast.parse(path.read_text(encoding="utf-8")), types):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        prefix = ".".join([*base, *([node.module] if node.module else [])])
        found.update(f"{prefix}.{alias.name}" for alias in node.names)
    return found


def rooms(path: Path) -> set[str]:
    """The other rooms that a module imports from."""
    found = set()
    for name in names(path, types=False):
        if name.split(".")[0] == "dedup":
            first = name.split(".")[1] if "." in name else "__init__"
            found.add(first if first in ALLOWED else "__init__")
    return found - {room(path)}


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_room_imports_what_it_may(name: str) -> None:
    found = set().union(*(rooms(path) for path in MODULES if room(path) == name))
    assert found <= ALLOWED[name]


def test_every_module_is_in_a_room_and_every_room_is_there() -> None:
    assert {room(path) for path in MODULES} == set(ALLOWED)


def test_stages_import_no_other_stage_but_those_that_are_made_of_others() -> None:
    stages = {
        "read",
        "collect",
        "text",
        "sketch",
        "band",
        "match",
        "kept",
        "passages",
        "cluster",
        "star",
        "decide",
    }
    found = {
        (room(path), other) for path in MODULES if room(path) in stages for other in rooms(path) & stages
    }
    assert found == {
        ("text", "collect"), ("cluster", "match"), ("star", "cluster"), ("star", "match"),
        ("kept", "band"), ("kept", "sketch"),
    }  # fmt: skip


def test_only_those_at_the_top_know_the_pipeline() -> None:
    assert {room(path) for path in MODULES if "pipeline" in rooms(path)} == {
        "cache",
        "cli",
        "diff",
        "filter",
        "gate",
        "__init__",
    }


@pytest.mark.parametrize("package", sorted(ALONE))
def test_a_dependency_is_imported_in_one_place(package: str) -> None:
    users = {room(path) for path in MODULES if any(name.split(".")[0] == package for name in names(path))}
    assert users == ALONE[package]


def test_no_module_is_a_box_of_odds_and_ends() -> None:
    assert not [
        path
        for path in MODULES
        if {"util", "utils", "helpers", "misc", "common"} & {path.stem, path.parent.name}
    ]


@pytest.mark.parametrize("module", ["dedup", "dedup.cli", "dedup.model", "dedup.read", "dedup.report"])
def test_an_import_brings_nothing_heavy(module: str) -> None:
    heavy = ["numpy", "scipy", "datasketch", "rapidfuzz", "rich"]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_texts_are_taken_before_numpy_is_loaded() -> None:
    code = """
import sys, dedup, dedup.kernel
def documents():
    for i in range(3):
        yield str(i), "una más que menos " * 100_000
    print("numpy" in sys.modules, dedup.kernel.name())
dedup.scan(documents())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() in ("False native", "True python")


def test_a_scan_does_without_what_it_has_no_use_for() -> None:
    unused = ["datasketch", "scipy", "rapidfuzz", "rich", "click", "numpy.random"]
    code = (
        "import sys, dedup; dedup.scan([('a', 'some words'), ('b', 'some words')]); "
        f"print([name for name in {unused} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_exported_name_exists_and_nothing_else_is_public() -> None:
    assert dedup.__all__ == sorted(dedup.__all__)
    exported = set(dedup.__all__)
    assert all(hasattr(dedup, name) for name in exported)
    modules = {path.stem for path in PACKAGE.iterdir()} | {"annotations", "TYPE_CHECKING"}
    assert {name for name in vars(dedup) if not name.startswith("_")} - modules - exported == set()


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match=r"^module 'dedup' has no attribute 'scam'$"):
        _ = dedup.scam
