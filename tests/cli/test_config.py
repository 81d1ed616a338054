"""The configuration and the environment at the command line: precedence, refusals, and what errors name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from dedup import cli
from dedup.cli.configured import Configured, Paths, configuration
from dedup.cli.options import CONTEXT, COPIES, OUTPUT, PATH, flag, option, setting
from dedup.errors import InputError
from dedup.model import Settings

#: What is read before any command is known, or by the kernel.
TAKEN = {"DEDUP_KERNEL", "DEDUP_BUILD", "DEDUP_DEBUG", "DEDUP_CONFIG", "DEDUP_NO_CONFIG"}


@pytest.fixture(autouse=True)
def _corpus(here: Path) -> None:
    (here / ".git").mkdir()
    (here / "a.txt").write_text("a text")


def file(text: str, path: str = "dedup.toml") -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A command of the name ``check`` with each kind of option, and what it was called with."""
    calls: list[dict[str, Any]] = []

    @click.command(name="check", cls=Configured, context_settings=CONTEXT)
    @click.argument("paths", nargs=-1, required=True, metavar="[PATH]...", cls=Paths)
    @setting(COPIES, "jobs", "Threads.")
    @option(COPIES, "--share", type=float, default=0.0, help="A share.")
    @option(COPIES, "--word", default="w", help="A word.")
    @option(COPIES, "--fail-on", type=click.Choice(["new", "any"]), default="new", help="When.")
    @option(COPIES, "--baseline", holds=PATH, help="A file.")
    @option(COPIES, "--reference", holds=PATH, multiple=True, help="Files.")
    @flag(COPIES, "--strict", help="Strictly.")
    @flag(OUTPUT, "--update-baseline", configurable=False, help="Write.")
    @click.pass_context
    def check(ctx: click.Context, **options: Any) -> int:
        calls.append({**options, "configuration": configuration(ctx)})
        if options["word"] == "missing":
            raise InputError(f"{options['paths'][0]}: does not exist")
        return 0

    monkeypatch.setitem(cli.dedup.commands, "check", check)
    return calls


class TestPrecedence:
    def test_options_before_variables_before_the_file_before_defaults(
        self, call: Callable[..., Any], pipeline: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert call("scan", "a.txt").code == 0
        assert pipeline.settings == Settings()
        file("threshold = 0.5\nmin-tokens = 20\nngram = 3\n")
        monkeypatch.setenv("DEDUP_THRESHOLD", "0.6")
        monkeypatch.setenv("DEDUP_MIN_TOKENS", "30")
        assert call("scan", "a.txt", "--threshold", "0.9").code == 0
        assert pipeline.settings == Settings(threshold=0.9, min_tokens=30, ngram=3)

    def test_the_table_of_a_command_before_what_is_for_all(
        self, call: Callable[..., Any], pipeline: Any
    ) -> None:
        file("seed = 2\nngram = 2\n[scan]\nseed = 3\n[filter]\nseed = 4\nkeep = 'longest'\n")
        assert call("scan", "a.txt").code == 0
        assert pipeline.settings == Settings(seed=3, ngram=2)

    def test_all_kinds_of_values(self, call: Callable[..., Any], gate: list[dict[str, Any]]) -> None:
        toml = 'paths = ["x"]\njobs = 2\nshare = 1\nword = "u"\nfail_on = "any"\nstrict = true\nreference = ["y", "z"]'
        ini = "[dedup]\npaths = x\njobs = 2\nshare = 1\nword = u\nfail_on = any\nstrict = yes\nreference =\n y\n z\n"
        for path in (file(toml, "a.toml"), file(ini, "a.cfg")):
            assert call("check", "--config", path).code == 0
        for values in gate:
            assert (values["jobs"], values["share"], values["strict"]) == (2, 1.0, True)
            assert (values["word"], values["fail_on"]) == ("u", "any")
            assert (values["paths"], values["reference"]) == (("x",), ("y", "z"))

    def test_what_may_be_repeated_may_be_one(
        self, call: Callable[..., Any], gate: list[dict[str, Any]]
    ) -> None:
        file('paths = "x y"\nreference = "z"\n')
        assert call("check").code == 0
        assert (gate[0]["paths"], gate[0]["reference"]) == (("x y",), ("z",))

    def test_values_are_lists_in_the_environment(
        self, call: Callable[..., Any], gate: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DEDUP_REFERENCE", "y z")
        monkeypatch.setenv("DEDUP_STRICT", "1")
        monkeypatch.setenv("DEDUP_WORD", "")
        assert call("check", "x").code == 0
        assert (gate[0]["reference"], gate[0]["strict"], gate[0]["word"]) == (("y", "z"), True, "w")

    def test_flags_may_be_turned_on(self, call: Callable[..., Any], pipeline: Any) -> None:
        file("no-documents = true\nno-passages = false\nquiet = true\n")
        assert call("scan", "a.txt").code == 0
        assert pipeline.settings == Settings(documents=False)

    def test_sizes_are_strings_or_numbers(self, call: Callable[..., Any], pipeline: Any) -> None:
        Path("b.jsonl").write_text('{"text": "' + "b" * 3000 + '"}\n')
        for size, count in (('"2kB"', 0), ("2000", 0), ("0", 1), ('"4kB"', 1)):
            file(f"max-record-size = {size}\n")
            assert call("scan", "b.jsonl").code == 0
            assert len(pipeline.documents) == count

    def test_reports(self, call: Callable[..., Any]) -> None:
        file('format = ["text", "json=out.json"]\n')
        assert call("scan", "a.txt").out.startswith("1 document")
        assert Path("out.json").exists()
        assert call("scan", "a.txt", "--format", "jsonl").out.startswith("{")


class TestWhichFile:
    def test_files_it_names_are_relative_to_it(
        self, call: Callable[..., Any], gate: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        absolute = os.path.abspath("abs")
        file(f'paths = [".", "docs"]\nbaseline = "b"\nreference = ["r", "s3://r/x", "{absolute}"]\n')
        assert call("check").code == 0
        Path("docs").mkdir()
        monkeypatch.chdir("docs")
        assert call("check").code == 0
        assert gate[0]["paths"] == (".", "docs")
        assert gate[1]["paths"] == ("..", os.path.join("..", "docs"))
        assert gate[1]["baseline"] == os.path.join("..", "b")
        assert gate[1]["reference"] == (os.path.join("..", "r"), "s3://r/x", absolute)
        found = gate[1]["configuration"]
        assert (found.path, found.folder) == (os.path.join("..", "dedup.toml"), "..")

    def test_those_in_variables_and_options_are_not(
        self, call: Callable[..., Any], gate: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file('paths = ["."]\nbaseline = "b"\n')
        Path("docs").mkdir()
        monkeypatch.chdir("docs")
        monkeypatch.setenv("DEDUP_BASELINE", "c")
        assert call("check", "d").code == 0
        assert (gate[0]["paths"], gate[0]["baseline"]) == (("d",), "c")

    def test_one_by_name(
        self, call: Callable[..., Any], pipeline: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file("seed = 2")
        strict, lax = file("seed = 3", "ci/strict.toml"), file("seed = 4", "ci/lax.toml")
        for seed, arguments in (
            (2, ["scan", "a.txt"]),
            (3, ["scan", "--config", strict, "a.txt"]),
            (3, ["scan", "a.txt", "--seed", "3"]),
            (3, ["--config", strict, "scan", "a.txt"]),
            (4, ["--config", strict, "scan", "a.txt", "--config", lax]),
            (4, ["--no-config", "scan", "a.txt", "--config", lax]),
            (1, ["--config", strict, "scan", "a.txt", "--no-config"]),
            (1, ["scan", "a.txt", "--no-config"]),
            (1, ["--no-config", "scan", "a.txt"]),
        ):
            assert call(*arguments).code == 0
            assert pipeline.settings.seed == seed, arguments
        monkeypatch.setenv("DEDUP_CONFIG", strict)
        for seed, arguments in (
            (3, ["scan", "a.txt"]),
            (4, ["scan", "--config", lax, "a.txt"]),
            (1, ["--no-config", "scan", "a.txt"]),
            (1, ["scan", "--no-config", "a.txt"]),
        ):
            assert call(*arguments).code == 0
            assert pipeline.settings.seed == seed, arguments

    def test_the_last_of_two_counts(self, call: Callable[..., Any], pipeline: Any) -> None:
        file("seed = 2")
        assert call("scan", "a.txt", "--no-config", "--config", "dedup.toml").code == 0
        assert pipeline.settings.seed == 2
        assert call("scan", "a.txt", "--config", "dedup.toml", "--no-config").code == 0
        assert pipeline.settings.seed == 1

    def test_none_by_variable(
        self, call: Callable[..., Any], pipeline: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file("seed = 2")
        monkeypatch.setenv("DEDUP_NO_CONFIG", "1")
        assert call("scan", "a.txt").code == 0
        assert pipeline.settings.seed == 1

    def test_help_needs_none(self, call: Callable[..., Any]) -> None:
        file("seed =")
        assert call("scan", "--help").code == 0
        assert call("--version").code == 0
        assert call("scan", "a.txt").code == 2

    def test_accepted_findings_reach_the_command(
        self, call: Callable[..., Any], gate: list[dict[str, Any]]
    ) -> None:
        file('[[ignore]]\nfingerprint = "0123456789abcdef"\nreason = "a licence"\n')
        assert call("check", "a.txt").code == 0
        assert call("check", "a.txt", "--no-config").code == 0
        assert [entry.reason for entry in gate[0]["configuration"].ignore] == ["a licence"]
        assert gate[1]["configuration"].ignore == ()


class TestOtherCommands:
    def test_filter_takes_over_only_what_it_has(self, capfd: pytest.CaptureFixture[str]) -> None:
        file('format = "json"\nno-documents = true\nquiet = true\n')
        assert cli.main(["filter", "a.txt", "--dry-run"]) == 0
        assert capfd.readouterr() == ("", "")

    def test_restore_knows_no_configuration(
        self, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file("quiet = true\nnonsense = 1")
        monkeypatch.setenv("DEDUP_FORCE", "1")
        monkeypatch.setenv("DEDUP_QUIET", "1")
        assert call("restore", "gone.jsonl", "--verify-only").err.startswith("dedup: gone.jsonl")
        parameters = {parameter.name: parameter.envvar for parameter in cli.dedup.commands["restore"].params}
        assert set(parameters.values()) == {None}
        assert "config" not in parameters

    def test_every_option_has_its_variable_and_none_is_taken(self) -> None:
        for command in cli.dedup.commands.values():
            if isinstance(command, Configured):
                names = {parameter.key: parameter.envvar for parameter in command.configurable}
                assert len(names) == len(command.configurable)
                for key, variable in names.items():
                    assert key == "paths" or variable == f"DEDUP_{key.upper().replace('-', '_')}"
                assert not set(names.values()) & TAKEN

    @pytest.mark.parametrize(
        ("command", "names"),
        [
            ("scan", {"output"}),
            ("filter", {"output", "rejects", "manifest", "dry-run", "force"}),
        ],
    )
    def test_what_belongs_to_one_call(self, command: str, names: set[str], call: Callable[..., Any]) -> None:
        for name in names | {"config", "no-config"}:
            for table in ("", f"[{command}]\n"):
                file(f"{table}{name} = true\n")
                place = f"dedup.toml: [{command}]" if table else "dedup.toml"
                outcome = call(command, "a.txt")
                said = f"{name} cannot be configured; give --{name} on the command line"
                assert (outcome.code, outcome.err) == (2, f"dedup: {place}: {said}\n")


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("min-token = 2", "dedup.toml: unknown key min-token; did you mean min-tokens?"),
            ("[scan]\nkeep = 'first'", "dedup.toml: [scan]: unknown key keep; known: "),
            ("[scn]\nseed = 1", "dedup.toml: [scn]: unknown table; did you mean scan?"),
            ("[restore]", "dedup.toml: [restore]: unknown table; "),
            ("[filter]\nkep = 'first'", "dedup.toml: [filter]: unknown key kep; did you mean keep?"),
            ("[filter]\nkeep = 1", "dedup.toml: [filter]: keep is 1; expected a string"),
            ("min-tokens = 20.5", "dedup.toml: min-tokens is 20.5; expected a whole number"),
            ("min-tokens = true", "dedup.toml: min-tokens is true; expected a whole number"),
            ("threshold = '0.8'", "dedup.toml: threshold is '0.8'; expected a number"),
            ("quiet = 1", "dedup.toml: quiet is 1; expected true or false"),
            ("text-field = ['a']", "dedup.toml: text-field is ['a']; expected a string"),
            ("format = [1]", "dedup.toml: format is [1]; expected a string, or a list of them"),
            ("max-record-size = 1.5", 'dedup.toml: max-record-size is 1.5; expected a size such as "100MB"'),
            (
                "format = 'json=../out.json'",
                "dedup.toml: format: ../out.json lies outside the folder of the ",
            ),
            ("threshold = 7", "threshold is 7.0; expected a number above 0 and up to 1 (threshold is from "),
            ("input-format = 'doc'", "input_format is 'doc'; expected "),
        ],
    )
    def test_one_line_that_names_file_and_key(
        self, text: str, message: str, call: Callable[..., Any]
    ) -> None:
        file(text)
        outcome = call("scan", "a.txt")
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(f"dedup: {message}")
        assert outcome.err.count("\n") == 1
        assert "dedup.toml" in outcome.err

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("format = 'jsn'", "Error: Invalid value for format (from dedup.toml): 'jsn' is not a format;"),
            ("format = ['text', 'json']", "write --format json=FILE. (format is from dedup.toml)"),
            ("max-record-size = '2 lb'", "for max-record-size (from dedup.toml): '2 lb' is no size"),
        ],
    )
    def test_usage(self, text: str, message: str, call: Callable[..., Any]) -> None:
        file(text)
        outcome = call("scan", "a.txt")
        assert (outcome.code, outcome.out) == (2, "")
        assert message in outcome.err

    def test_what_was_typed_is_not_from_the_file(self, call: Callable[..., Any]) -> None:
        file("threshold = 0.9\nseed = 2\n")
        outcome = call("scan", "a.txt", "--threshold", "7")
        assert outcome.err == "dedup: threshold is 7.0; expected a number above 0 and up to 1\n"

    @pytest.mark.parametrize(
        ("variable", "value", "message"),
        [
            ("DEDUP_MIN_TOKENS", "x", "Invalid value for min-tokens (from DEDUP_MIN_TOKENS): 'x' is not a "),
            ("DEDUP_QUIET", "perhaps", "Invalid value for quiet (from DEDUP_QUIET): 'perhaps' is not a "),
            ("DEDUP_FORMAT", "jsn", "Invalid value for format (from DEDUP_FORMAT): 'jsn' is not a format"),
            ("DEDUP_MIN_TOKENS", "2", "from 4 to 1000000 (min-tokens is from DEDUP_MIN_TOKENS)"),
        ],
    )
    def test_variables(
        self,
        variable: str,
        value: str,
        message: str,
        call: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv(variable, value)
        outcome = call("scan", "a.txt")
        assert (outcome.code, outcome.out) == (2, "")
        assert message in outcome.err

    def test_setup_cfg(self, call: Callable[..., Any]) -> None:
        for text, message in (
            ("min-tokens = many", "setup.cfg: [dedup]: min-tokens: 'many' is not a valid integer."),
            ("quiet = perhaps", "setup.cfg: [dedup]: quiet: 'perhaps' is not a valid boolean."),
            ("[dedup:scn]\nseed = 1", "setup.cfg: [dedup:scn]: unknown table; did you mean scan?"),
        ):
            file(f"[dedup]\n{text}\n", "setup.cfg")
            assert call("scan", "a.txt").err.startswith(f"dedup: {message}")

    @pytest.mark.usefixtures("gate")
    def test_choices(self, call: Callable[..., Any]) -> None:
        file("fail-on = 'never'")
        assert call("check", "x").err == "dedup: dedup.toml: fail-on: 'never' is not one of 'new', 'any'.\n"

    @pytest.mark.usefixtures("gate")
    def test_paths(self, call: Callable[..., Any]) -> None:
        outcome = call("check")
        assert outcome.code == 2
        assert "No PATH is given, and no configuration names paths" in outcome.err
        file("paths = ['gone']\nword = 'missing'")
        assert call("check").err == "dedup: gone: does not exist (paths is from dedup.toml)\n"
        assert call("check", "typed").err == "dedup: typed: does not exist\n"

    def test_a_file_by_name_that_is_not_there(self, call: Callable[..., Any]) -> None:
        for arguments in (["scan", "a.txt", "--config", "gone.toml"], ["--config", "", "scan", "a.txt"]):
            outcome = call(*arguments)
            assert (outcome.code, outcome.out) == (2, "")
            assert "cannot be read: no such file or directory" in outcome.err

    def test_a_report_beyond_a_link_is_outside(self, call: Callable[..., Any], tmp_path: Path) -> None:
        (tmp_path / "top" / ".git").mkdir(parents=True)
        (tmp_path / "top" / "out").symlink_to(tmp_path)
        config = file('format = "json=out/x.json"', "top/dedup.toml")
        assert "out/x.json lies outside the folder" in call("scan", "a.txt", "--config", config).err
        assert not Path("x.json").exists()
