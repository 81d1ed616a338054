"""``dedup init``: what it writes, what it leaves alone, and that what it writes is accepted."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from dedup import __version__, cli
from dedup.cli import configured, snippets, template
from dedup.cli.configured import Configured, Paths
from dedup.cli.options import CONTEXT, OUTPUT, PATH, flag, option
from dedup.config import Configuration, read
from dedup.errors import InputError
from tests.gating import prose
from tests.repository import Repository

WORKFLOW, GITLAB, PRE_COMMIT = (snippets.SNIPPETS[name].path for name in ("github", "gitlab", "pre-commit"))


@pytest.fixture(autouse=True)
def _repository(here: Path) -> None:
    (here / ".git").mkdir()


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A ``dedup check`` that writes an empty baseline, and what it was called with."""
    calls: list[dict[str, Any]] = []

    @click.command(name="check", cls=Configured, context_settings=CONTEXT)
    @click.argument("paths", nargs=-1, required=True, metavar="[PATH]...", cls=Paths)
    @option(OUTPUT, "--baseline", default=".dedup-baseline.jsonl", holds=PATH, help="Accepted findings.")
    @option(OUTPUT, "--max-new", type=int, help="So many.")
    @option(OUTPUT, "--max-share", type=click.FloatRange(0, 100), help="So much.")
    @option(OUTPUT, "--fail-on", type=click.Choice(["new", "any", "none"]), help="When.")
    @flag(OUTPUT, "--update-baseline", configurable=False, help="Write it.")
    @flag(OUTPUT, "-q", "--quiet", help="No messages.")
    def check(**options: Any) -> int:
        calls.append(options)
        if options["paths"] == ("gone",):
            raise InputError("gone: does not exist")
        Path(options["baseline"]).write_text("")
        return 0

    monkeypatch.setitem(cli.dedup.commands, "check", check)
    return calls


def files(folder: str = ".") -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in Path(folder).rglob("*")
        if path.is_file() and path.parts[0] != ".git"
    }


def commands() -> list[Configured]:
    return [command for command in cli.dedup.commands.values() if isinstance(command, Configured)]


def uncommented() -> str:
    """The configuration with every setting in force."""
    return re.sub(r"^#(?=[^ \n])", "", template.commented(commands(), {}), flags=re.MULTILINE)


class TestTemplate:
    @pytest.fixture(autouse=True)
    def _check(self, request: pytest.FixtureRequest) -> None:
        if "check" not in cli.dedup.commands:
            request.getfixturevalue("checks")

    def test_every_option_that_may_be_configured_is_in_it(self) -> None:
        keys = re.findall(r"^#?([a-z-]+) = ", template.commented(commands(), {}), re.MULTILINE)
        ignore = ["fingerprint", "reason", "owner", "expires"]
        assert len(keys) == len(set(keys))
        expected = {parameter.key for command in commands() for parameter in command.configurable}
        assert set(keys) == expected | set(ignore)

    def test_it_is_accepted_and_says_only_what_is_looked_at(self) -> None:
        Path("dedup.toml").write_text(template.commented(commands(), {}))
        assert read("dedup.toml") == Configuration("dedup.toml", ".", {"paths": ["."]})
        configured.check(read("dedup.toml"), commands())

    def test_with_every_setting_it_is_accepted(self) -> None:
        Path("dedup.toml").write_text(uncommented())
        found = read("dedup.toml")
        configured.check(found, commands())
        assert len(found.ignore) == 1

    def test_the_settings_are_the_defaults(self) -> None:
        values = tomllib.loads(uncommented())
        for command in commands():
            for parameter in command.configurable:
                default = parameter.default
                if isinstance(default, str | int | float) and not isinstance(default, bool):
                    assert values[parameter.key] == default
        assert values["quiet"] is False
        assert values["format"] == []

    def test_the_words_are_those_of_the_help(self) -> None:
        text = " ".join(template.commented(commands(), {}).replace("\n#", "").split())
        for command in (cli.dedup.commands["check"], cli.dedup.commands["scan"]):
            for parameter in command.params:
                if isinstance(parameter, click.Option) and getattr(parameter, "configurable", False):
                    first = next(c for c in commands() if parameter.key in {p.key for p in c.configurable})
                    assert first is not command or parameter.help in text

    def test_what_not_every_command_has_names_those_that_do(self) -> None:
        text = template.commented(commands(), {})
        assert "# Do not look for duplicate documents. [scan, check, diff]\n" in text
        assert "# Keep records that lie inside others. [filter]\n" in text
        assert "# No progress and no messages, only errors.\n" in text


@pytest.mark.usefixtures("checks")
class TestFiles:
    def test_a_new_place(self, call: Callable[..., Any], checks: list[dict[str, Any]]) -> None:
        outcome = call("init")
        assert (outcome.code, outcome.out) == (0, "")
        assert files() == {"dedup.toml", ".dedup-baseline.jsonl"}
        assert outcome.err == (
            "dedup: wrote dedup.toml\n"
            "dedup: .dedup_cache/ belongs into .gitignore, which was not touched\n"
            "dedup: commit what was written, and run: dedup check; for CI: dedup init --ci github, gitlab or "
            "pre-commit\n"
        )
        assert checks == [
            {
                "paths": (".",), "baseline": ".dedup-baseline.jsonl", "update_baseline": True, "quiet": False,
                "max_new": None, "max_share": None, "fail_on": None,
            },
        ]  # fmt: skip

    def test_in_another_directory(self, call: Callable[..., Any], checks: list[dict[str, Any]]) -> None:
        Path("other").mkdir()
        assert call("init", "other", "--ci", "github").code == 0
        assert files() == {f"other/{name}" for name in ("dedup.toml", ".dedup-baseline.jsonl", WORKFLOW)}
        assert checks[0]["paths"] == ("other",)
        assert checks[0]["baseline"] == str(Path("other/.dedup-baseline.jsonl"))

    def test_nothing_is_overwritten(self, call: Callable[..., Any], checks: list[dict[str, Any]]) -> None:
        names = ["dedup.toml", ".dedup-baseline.jsonl", WORKFLOW, GITLAB, PRE_COMMIT]
        Path(WORKFLOW).parent.mkdir(parents=True)
        for name in names:
            Path(name).write_text("# mine\n")
        outcome = call("init", *(f"--ci={name}" for name in snippets.SNIPPETS))
        assert outcome.code == 0
        assert {Path(name).read_text() for name in names} == {"# mine\n"}
        assert [
            name for name in names if f"dedup: {name} is there already: left as it is" in outcome.err
        ] == names
        assert outcome.out == "".join(snippet.text for snippet in snippets.SNIPPETS.values())
        assert checks == []

    def test_force_replaces_what_is_for_dedup_alone(
        self, call: Callable[..., Any], checks: list[dict[str, Any]]
    ) -> None:
        names = ["dedup.toml", ".dedup-baseline.jsonl", WORKFLOW, GITLAB, PRE_COMMIT]
        Path(WORKFLOW).parent.mkdir(parents=True)
        for name in names:
            Path(name).write_text("mine")
        assert call("init", "--force", *(f"--ci={name}" for name in snippets.SNIPPETS)).code == 0
        assert [name for name in names if Path(name).read_text() == "mine"] == [GITLAB, PRE_COMMIT]
        assert len(checks) == 1

    @pytest.mark.parametrize(
        ("name", "text"), [("pyproject.toml", "[tool.dedup]\n"), ("setup.cfg", "[dedup]\npaths = docs\n")]
    )
    def test_a_configuration_in_another_file_is_not_shadowed(
        self, name: str, text: str, call: Callable[..., Any], checks: list[dict[str, Any]]
    ) -> None:
        Path(name).write_text(text)
        outcome = call("init", "--force")
        assert outcome.code == 0
        assert f"dedup: {name} is there already: left as it is\n" in outcome.err
        assert files() == {name, ".dedup-baseline.jsonl"}
        assert checks[0]["paths"] == (("docs",) if "docs" in text else (".",))

    def test_a_baseline_of_another_name(self, call: Callable[..., Any], checks: list[dict[str, Any]]) -> None:
        Path("dedup.toml").write_text('[check]\npaths = ["a"]\nbaseline = "known.jsonl"\n')
        assert call("init").code == 0
        assert (checks[0]["paths"], checks[0]["baseline"]) == (("a",), "known.jsonl")
        assert "dedup: known.jsonl is there already: left as it is\n" in call("init").err

    def test_without_a_baseline(self, call: Callable[..., Any], checks: list[dict[str, Any]]) -> None:
        assert call("init", "--no-baseline").code == 0
        assert files() == {"dedup.toml"}
        assert checks == []

    def test_quiet(self, call: Callable[..., Any], checks: list[dict[str, Any]]) -> None:
        outcome = call("init", "-q", "--ci", "gitlab")
        assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
        assert checks[0]["quiet"] is True

    @pytest.mark.parametrize("line", [".dedup_cache/", "/.dedup_cache", ".dedup_cache"])
    def test_no_advice_that_was_followed(self, line: str, call: Callable[..., Any]) -> None:
        Path(".gitignore").write_text(f"a\n{line}\n")
        assert ".gitignore" not in call("init").err

    def test_a_directory_that_is_not_there(self, call: Callable[..., Any]) -> None:
        outcome = call("init", "gone")
        assert outcome.code == 2
        assert outcome.err == (
            "dedup: gone: is not a directory; expected the top of what dedup is to guard\n"
        )

    def test_a_file_that_cannot_be_written(self, call: Callable[..., Any]) -> None:
        Path(".github").write_text("a file")
        outcome = call("init", "--no-baseline", "--ci", "github")
        assert outcome.code == 2
        assert f"dedup: {WORKFLOW}: cannot be written: " in outcome.err
        assert files() == {".github", "dedup.toml"}

    def test_a_broken_configuration_is_told_before_anything_is_written(
        self, call: Callable[..., Any]
    ) -> None:
        Path("dedup.toml").write_text("a =")
        assert call("init", "--ci", "github").code == 2
        assert files() == {"dedup.toml"}

    def test_an_error_of_the_check_is_one_of_init(self, call: Callable[..., Any]) -> None:
        Path("dedup.toml").write_text('paths = ["gone"]')
        outcome = call("init")
        assert outcome.code == 2
        assert outcome.err.endswith("dedup: gone: does not exist (paths is from dedup.toml)\n")

    def test_another_configuration_has_no_say(
        self, call: Callable[..., Any], checks: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("dedup.toml").write_text('baseline = "above.jsonl"')
        Path("sub").mkdir()
        monkeypatch.chdir("sub")
        assert call("--no-config", "init").code == 0
        assert files() == {"dedup.toml", ".dedup-baseline.jsonl"}
        assert checks[0]["baseline"] == ".dedup-baseline.jsonl"


@pytest.mark.usefixtures("checks")
class TestSnippets:
    def test_github(self, call: Callable[..., Any]) -> None:
        assert call("init", "--ci", "github").code == 0
        workflow = yaml.safe_load(Path(WORKFLOW).read_text())
        assert workflow[True]["pull_request"] is None  # YAML 1.1 takes "on" for true
        steps = workflow["jobs"]["dedup"]["steps"]
        assert [step.get("run", step.get("uses")) for step in steps] == [
            "actions/checkout@v4",
            "actions/setup-python@v5",
            f"pip install 'dedup-spans[check]=={__version__}'",
            "dedup check",
        ]

    def test_gitlab(self, call: Callable[..., Any]) -> None:
        assert call("init", "--ci", "gitlab").code == 0
        job = yaml.safe_load(Path(GITLAB).read_text())["dedup"]
        assert f"gitlab={job['artifacts']['reports']['codequality']}" in job["script"][-1]
        assert job["artifacts"]["when"] == "always"

    def test_pre_commit(self, call: Callable[..., Any]) -> None:
        assert call("init", "--ci", "pre-commit").code == 0
        content = yaml.safe_load(Path(PRE_COMMIT).read_text())
        [hook] = content["repos"][0]["hooks"]
        assert (hook["entry"], hook["pass_filenames"], hook["require_serial"]) == (
            "dedup check --staged", False, True,
        )  # fmt: skip
        assert hook["additional_dependencies"] == [f"dedup-spans[check]=={__version__}"]

    def test_the_parts_fit_into_what_is_there(self, call: Callable[..., Any]) -> None:
        existing = {
            PRE_COMMIT: "repos:\n  - repo: meta\n    hooks: [{id: identity}]\n",
            GITLAB: "stages: [test]\n",
        }
        for name, text in existing.items():
            Path(name).write_text(text)
        added = {
            PRE_COMMIT: call("init", "--ci", "pre-commit").out,
            GITLAB: call("init", "--ci", "gitlab").out,
        }
        assert len(yaml.safe_load(existing[PRE_COMMIT] + added[PRE_COMMIT])["repos"]) == 2
        assert set(yaml.safe_load(existing[GITLAB] + added[GITLAB])) == {"stages", "dedup"}


@pytest.mark.parametrize("name", ["dedup.toml", "setup.cfg"])
def test_below_the_top_of_a_repository_a_check_finds_the_baseline(name: str, tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    for file in "ab":
        repository.write(f"docs/{file}.md", prose(1))
    if name == "setup.cfg":
        repository.write("docs/setup.cfg", "[dedup]\n")
    done = repository.run("init", "docs")
    assert done.returncode == 0
    assert "and run: dedup check in docs" in done.stderr
    if name == "setup.cfg":
        told = 'put into the configuration: baseline = ".dedup-baseline.jsonl"'
        assert told in done.stderr
        repository.write("docs/setup.cfg", "[dedup]\nbaseline = .dedup-baseline.jsonl\n")
    done = repository.run("check", folder="docs")
    assert (done.returncode, done.stderr) == (0, "")
    assert "passed · 0 new · 2 known" in done.stdout
