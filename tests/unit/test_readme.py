"""README.md and docs/ say what is true: their examples run, their options exist, their figures are the code's."""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import asdict
from importlib import import_module
from math import comb
from pathlib import Path

import click
import pytest

import dedup
from dedup import Settings, SettingsError, band, cli, config, report, sketch
from dedup.cli import configured
from dedup.cli.options import Option
from dedup.kernel.types import ContainedParameters
from dedup.table import COLUMNS
from tests.quality.__main__ import options as quality_options

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
ALL = "\n".join(PAGES.values())
INDEX = cli.dedup.commands["index"]
COMMANDS = [*cli.dedup.commands.values(), *INDEX.commands.values()]
ALGORITHM = PAGES["docs/algorithm.md"]
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL


def blocks(page: str, language: str) -> list[str]:
    """The contents of a page's fenced blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)


def rows(page: str) -> Iterator[list[str]]:
    """The cells of all rows of a page's tables, without backquotes."""
    for line in PAGES[page].splitlines():
        if line.startswith("| "):
            yield [cell.strip().strip("`") for cell in line.strip("|").split(" | ")]


def commands() -> Iterator[list[str]]:
    """Every program with its arguments that a block of shell commands runs."""
    for page in PAGES:
        for line in "".join(blocks(page, "sh")).splitlines():
            words = shlex.split(line, comments=True)
            while "|" in words:
                yield words[: words.index("|")]
                words = words[words.index("|") + 1 :]
            yield words


def transcripts() -> Iterator[tuple[str, str]]:
    """Every command that a page shows with its output, and that output."""
    for page in PAGES:
        for block in blocks(page, "console"):
            for part in block.split("$ ")[1:]:
                command, _, output = part.partition("\n")
                yield command, output


@pytest.mark.parametrize("page", PAGES)
def test_python_examples(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for number, block in enumerate(blocks(page, "python")):
        example = doctest.DocTestParser().get_doctest(block, names, f"{page}[{number}]", page, 0)
        assert example.examples, "a block of Python without an example"
        runner.run(example, out=said.append, clear_globs=False)
        names.update(example.globs)
    assert runner.failures == 0, "".join(said)


@pytest.mark.parametrize(("command", "shown"), list(transcripts()))
def test_what_a_command_is_shown_to_print(command: str, shown: str) -> None:
    function = f'dedup() {{ {shlex.quote(sys.executable)} -m dedup "$@"; }}'
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    run = subprocess.run(
        ["bash", "-c", f"{function}; {command}"], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    left = run.stdout.decode("utf-8").strip("\n") + "\n"
    for part in re.split(r"^…\n", shown, flags=re.MULTILINE):
        assert part in left
        left = left[left.index(part) + len(part) :]
    assert left == ""


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_shell_commands_are_ones_that_exist(words: list[str]) -> None:
    program, *arguments = words
    if program == "dedup":
        command = cli.dedup.commands[arguments.pop(0)]
        if command is INDEX:
            command = INDEX.commands[arguments.pop(0)]
        params = command.make_context(command.name, arguments, click.Context(cli.dedup)).params
        assert any(params.get(name) for name in ("paths", "manifest", "folder", "result", "first"))
    elif program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert arguments[0] in targets
    elif program == "pip":
        setup = ConfigParser()
        setup.read(ROOT / "setup.cfg")
        extras = re.findall(r"\[(\w+)\]", arguments[-1])
        assert arguments[0] == "install"
        assert set(extras) <= set(setup["options.extras_require"])
    elif program == ".venv/bin/python":
        assert arguments[:2] == ["-m", "tests.quality"]
        quality_options(arguments[2:])
    else:
        assert program == "zcat"


CONFIGURATIONS = (
    ("docs/configuration.md", "toml", "dedup.toml"),
    ("docs/configuration.md", "ini", "setup.cfg"),
)


@pytest.mark.parametrize(("page", "language", "name"), CONFIGURATIONS)
def test_configurations_are_accepted(page: str, language: str, name: str, tmp_path: Path) -> None:
    [block] = blocks(page, language)
    (tmp_path / name).write_text(block, "utf-8")
    found = config.read(str(tmp_path / name))
    assert len(found.ignore) == 1
    configured.check(found, cli.dedup.commands.values())


def test_what_cannot_be_configured() -> None:
    [sentence] = re.findall(r"cannot be configured, and is refused: (.*?)\.\n", ALL, re.DOTALL)
    parameters = [
        parameter for command in cli.dedup.commands.values() if isinstance(command, configured.Configured)
        for parameter in command.params if isinstance(parameter, Option) and not parameter.configurable
    ]  # fmt: skip
    refused = {parameter.key for parameter in parameters} - {"config", "no-config"}
    assert set(re.findall(r"`([\w-]+)`", sentence)) == refused


def test_every_option_is_documented() -> None:
    for command in COMMANDS:
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or max(parameter.opts, key=len) in ALL


def test_every_option_that_is_named_exists() -> None:
    parameters = [parameter for command in COMMANDS for parameter in command.params]
    real = {name for parameter in parameters for name in parameter.opts} | {"--help", "--version"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", ALL)) <= real


def test_defaults_and_ranges() -> None:
    table = {
        row[0]: row[1:] for row in rows("docs/algorithm.md") if row[0].startswith("--") and len(row) == 4
    }
    settings = asdict(Settings())
    del settings["documents"], settings["passages"]
    assert set(table) == {f"--{name.replace('_', '-')}" for name in settings}
    for name, default in settings.items():
        written, allowed, _ = table[f"--{name.replace('_', '-')}"]
        assert float(written) == default
        low, high = (int(bound.replace(",", "")) for bound in re.findall(r"\d[\d,]*", allowed))
        if isinstance(default, int):
            assert asdict(Settings(**{name: low}))[name] == low
        for outside in (low - 1, high + 1):
            with pytest.raises(SettingsError):
                Settings(**{name: outside})
        assert asdict(Settings(**{name: high}))[name] == high


def test_constants() -> None:
    _, _, section = ALGORITHM.partition("| constant | value |")
    table = re.findall(r"^\| `([\w.]+)` \| ([\d.]+) \|", section, re.MULTILINE)
    assert len(table) >= 12
    for name, value in table:
        module, _, constant = name.rpartition(".")
        owner = import_module(f"dedup.{module}") if module else Settings()
        assert getattr(owner, constant) == float(value), name


def test_probabilities_of_missing_a_near_copy() -> None:
    table = [row for row in rows("docs/algorithm.md") if re.fullmatch(r"\d+ × \d+", row[1])]
    assert len(table) == 5
    for threshold, written, *chances in table:
        bands, in_each = band.shape(float(threshold), Settings().num_perm)
        assert written == f"{bands} × {in_each}"
        for more, chance in zip((0.0, 0.05, 0.1), chances, strict=True):
            jaccard = min(float(threshold) + more, 1.0)
            assert float(chance) == float(f"{(1 - jaccard**in_each) ** bands:.1e}")


def test_probabilities_of_missing_a_contained_text() -> None:
    by_name = {row[0]: row[1:] for row in rows("docs/algorithm.md")}
    shape = ContainedParameters(Settings().ngram, Settings().min_tokens)
    for share, chance in zip(by_name["containment"], by_name["missed"], strict=True):
        c, n = float(share), sketch.PROBES
        missed = sum(comb(n, k) * c**k * (1 - c) ** (n - k) for k in range(shape.needed))
        assert float(chance) == float(f"{missed:.1e}")


def test_every_field_of_a_result_is_documented() -> None:
    described = set(re.findall(r"`(\w+)`", PAGES["docs/result.md"]))
    schema = json.dumps(report.schema())
    for names in re.findall(r'"required": \[(.*?)\]', schema):
        assert set(re.findall(r"\w+", names)) <= described


def test_every_field_of_a_comparison_is_documented() -> None:
    described = set(re.findall(r"`(\w+)`", PAGES["docs/diff.md"]))
    names = {name for part in report.diff_schema()["$defs"].values() for name in part.get("properties", ())}
    assert (names - set(Settings().to_dict()) - {"path", "byte_offset"}) <= described


def test_every_column_of_a_table_is_documented() -> None:
    _, _, section = PAGES["docs/result.md"].partition("\n## Tables\n")
    assert set(COLUMNS) <= set(re.findall(r"`(\w+)`", section.partition("\n## ")[0]))


def test_exit_codes() -> None:
    codes = {row[0] for row in rows("README.md") if len(row) == 2} - {"exit code"}
    assert codes == {str(code) for code in (0, cli.FAILED, cli.ERROR, cli.SKIPPED, cli.INTERRUPTED)}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[page]):
        path, _, heading = target.partition("#")
        place = (ROOT / page).parent / path
        assert place.exists()
        heading = heading.replace("-", " ").capitalize()
        assert not heading or f"\n## {heading}\n" in place.read_text("utf-8")


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert first is not None
    assert first[1] == dedup.__version__
