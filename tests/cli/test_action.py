"""The GitHub action: the steps of ``action.yml``, run one after another as GitHub's runner does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.gating import page, prose
from tests.repository import ENVIRONMENT, Repository, cloned, programs

ROOT = Path(__file__).resolve().parents[2]
BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")  # what "shell: bash" stands for
EXPRESSION = re.compile(r"\$\{\{ *([\w.]+) *\}\}")
SHARED, OTHER = prose(1), prose(2)


class Ran(NamedTuple):
    """What a run of the action left: the exit code of the last step, the log, the action's outputs, the summary."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    def annotations(self) -> list[tuple[str, str, str, str]]:
        """Level, file, and the first and last line of each."""
        return re.findall(r"^::(error|warning) file=([^,]+),line=(\d+),endLine=(\d+)", self.log, re.MULTILINE)


class Runner:
    """Runs a composite action in a work tree; ``done`` holds outputs of steps that are not to be run."""

    def __init__(self, action: Path, work: Path, temporary: Path, done: dict[str, str]) -> None:
        self._action = yaml.safe_load((action / "action.yml").read_text("utf-8"))
        self._context = {"github.action_path": str(action), **done}
        self._skipped = {name.split(".")[1] for name in done}
        self._work, self._temporary = work, temporary
        temporary.mkdir(exist_ok=True)

    def run(self, **inputs: str) -> Ran:
        declared = self._action["inputs"]
        assert set(inputs) <= set(declared)
        context = dict(self._context)
        context |= {f"inputs.{name}": inputs.get(name, one["default"]) for name, one in declared.items()}
        code, log, summary = 0, "", self._temporary / "summary"
        for step in self._action["runs"]["steps"]:
            if step["id"] not in self._skipped and not code:
                summary.write_text("")
                done = self._step(step, context, summary)
                code, log = done.returncode, log + done.stdout
        outputs = {
            name: self._evaluated(one["value"], context) for name, one in self._action["outputs"].items()
        }
        return Ran(code, log, outputs, summary.read_text("utf-8"))

    def _step(
        self, step: dict[str, Any], context: dict[str, str], summary: Path
    ) -> subprocess.CompletedProcess[str]:
        assert step["shell"] == "bash"
        script, output = self._temporary / "step.sh", self._temporary / "output"
        script.write_text(step["run"])
        output.write_text("")
        environment = {
            **ENVIRONMENT,
            **{name: self._evaluated(value, context) for name, value in step["env"].items()},
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "RUNNER_TEMP": str(self._temporary),
        }
        done = subprocess.run(
            [*BASH, str(script)], cwd=self._work, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
        )  # fmt: skip
        for line in output.read_text("utf-8").splitlines():
            name, equals, value = line.partition("=")
            assert equals
            context[f"steps.{step['id']}.outputs.{name}"] = value
        return done

    @staticmethod
    def _evaluated(text: str, context: dict[str, str]) -> str:
        """A value with its expressions replaced; an output that was not set is empty."""
        return EXPRESSION.sub(lambda match: context.get(match[1], ""), text)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two files that share a paragraph, which the baseline accepts, and one with a name that has spaces."""
    repository = Repository(tmp_path / "project")
    repository.write("docs/a.md", page("# A", prose(10), SHARED, prose(11)))
    repository.write("docs/b.md", page("# B", prose(20), prose(21), SHARED))
    repository.write("my docs/c.md", page("# C", prose(30), OTHER))
    repository.accept()
    return repository


@pytest.fixture
def runner(repository: Repository, tmp_path: Path) -> Runner:
    """The action of this checkout, with the environment's own dedup in the place of one that it installs."""
    done = {"steps.install.outputs.bin": str(programs(tmp_path / "bin"))}
    return Runner(ROOT, repository.top, tmp_path / "temporary folder", done)


def test_nothing_new(runner: Runner) -> None:
    ran = runner.run(paths="docs")
    assert (ran.code, ran.annotations(), ran.summary) == (0, [], "")
    result = ran.outputs.pop("result")
    assert ran.outputs == {"passed": "true", "new": "0", "known": "2"}
    assert json.loads(Path(result).read_text("utf-8"))["gate"]["known"] == 2


def test_a_copy_fails_and_is_annotated(runner: Runner, repository: Repository) -> None:
    repository.commit(**{"docs/new__md": page("# New", prose(40), SHARED)})
    ran = runner.run(paths="docs\n", sarif="out.sarif", markdown="out.md")
    assert (ran.code, ran.annotations()) == (1, [("error", "docs/new.md", "5", "5")])
    assert {name: ran.outputs[name] for name in ("passed", "new", "known")} == {
        "passed": "false", "new": "1", "known": "2",
    }  # fmt: skip
    [result] = json.loads((repository.top / "out.sarif").read_text("utf-8"))["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 5
    assert "docs/new.md:5" in (repository.top / "out.md").read_text("utf-8")


def test_more_findings_than_annotations_go_to_the_summary(runner: Runner, repository: Repository) -> None:
    for number in range(11):
        repository.write(f"docs/new{number}.md", page(f"# New {number}", prose(100 + number), SHARED))
    ran = runner.run(paths="docs")
    assert (ran.code, len(ran.annotations())) == (1, 10)
    assert "docs/new9.md:5" in ran.summary


def test_paths_stand_one_a_line_and_options_as_in_a_shell(runner: Runner, repository: Repository) -> None:
    repository.write("my docs/d e.md", page("# D", prose(60), OTHER))
    ran = runner.run(paths="  docs\n  my docs\n\n", args="--max-new 1\n--exclude 'no such'")
    assert (ran.code, ran.outputs["new"]) == (0, "1")
    assert ran.annotations() == [("warning", "my docs/d e.md", "5", "5")]
    assert runner.run(paths="docs my docs").code == 2


def test_without_paths_those_of_the_configuration_count(runner: Runner, repository: Repository) -> None:
    repository.write("dedup.toml", 'paths = ["docs"]\n')
    repository.write("my docs/d.md", page("# D", prose(60), OTHER))
    assert runner.run().outputs["new"] == "0"
    assert runner.run(paths=".").outputs["new"] == "1"


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"paths": "gone"}, "gone: no such file or directory"),
        ({"paths": "docs", "args": "--no-such-option"}, "--no-such-option"),
        ({"paths": "docs", "args": "--exclude 'open"}, "the input args: No closing quotation"),
        ({"paths": "docs", "args": "--baseline gone.jsonl"}, "gone.jsonl: no such baseline"),
        ({"paths": "docs", "sarif": "gone/out.sarif"}, "gone/out.sarif"),
    ],
)
def test_an_error_has_no_outputs(runner: Runner, inputs: dict[str, str], told: str) -> None:
    assert runner.run(paths="docs").outputs["passed"] == "true"
    ran = runner.run(**inputs)
    assert ran.code == 2
    assert told in ran.log
    assert set(ran.outputs.values()) == {""}


@pytest.mark.parametrize(
    "hostile", ["$(touch owned)", "`touch owned`", "; touch owned;", "'; touch owned; '", '"; touch owned; "',
                "docs\n$(touch owned)", "--output=owned", "a\nnew=99"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["paths", "args", "sarif", "markdown"])
def test_inputs_are_never_run(runner: Runner, repository: Repository, name: str, hostile: str) -> None:
    ran = runner.run(**{"paths": "docs", name: hostile})
    assert not (repository.top / "owned").exists() or (name, hostile) == ("args", "--output=owned")
    assert ran.outputs["new"] in ("", "0")


def test_modules_of_the_repository_are_never_imported(runner: Runner, repository: Repository) -> None:
    for name in (
        "json.py",
        "shlex.py",
        "subprocess.py",
        "tempfile.py",
        "pip.py",
        "venv.py",
        "dedup/__init__.py",
    ):
        repository.write(name, "open('owned', 'w')\nraise SystemExit(0)\n")
    repository.write("docs/new.md", page("# New", prose(40), SHARED))
    assert runner.run(paths="docs").code == 1
    assert not (repository.top / "owned").exists()


def test_what_documents_and_names_say_is_not_obeyed(runner: Runner, repository: Repository) -> None:
    command = "::error file=forged.md::forged\n##[error]forged\n"
    repository.write("docs/new.md", page("# New", command, SHARED, command))
    repository.write("docs/##[error]forged\n::error file=forged.md,line=1,endLine=1::.txt", b"\xff\xfe\xff")
    ran = runner.run(paths="docs")
    live = re.sub(r"^::stop-commands::(\w+)$.*?^::\1::$", "", ran.log, flags=re.MULTILINE | re.DOTALL)
    assert "docs/new.md" in live
    assert "forged" not in live


def test_each_use_in_a_job_has_its_own_result(runner: Runner, repository: Repository) -> None:
    first = runner.run(paths="docs").outputs["result"]
    repository.write("docs/new.md", page("# New", prose(40), SHARED))
    assert runner.run(paths="docs").outputs["result"] != first
    assert json.loads(Path(first).read_text("utf-8"))["gate"]["new"] == 0


def test_no_expression_stands_in_a_script() -> None:
    """It would be replaced before the shell reads it, which would then run what an input says."""
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    steps = action["runs"]["steps"]
    assert not [step["name"] for step in steps if "${{" in step["run"]]
    used = {name for step in steps for value in step["env"].values() for name in EXPRESSION.findall(value)}
    assert {name for name in used if name.startswith("inputs.")} == {
        f"inputs.{name}" for name in action["inputs"]
    }


def test_the_documentation_names_inputs_and_outputs() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    assert {*action["inputs"], *action["outputs"]} <= set(re.findall(r"`(\w+)`", page))
    examples = [
        yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    ]
    [used] = [
        step["with"] for step in examples[1]["jobs"]["dedup"]["steps"] if "/dedup@" in step.get("uses", "")
    ]
    assert set(used) <= set(action["inputs"])
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert {hook["id"] for hook in examples[0]["repos"][0]["hooks"]} == hooks


@pytest.mark.slow
def test_with_its_own_installation(repository: Repository, tmp_path: Path) -> None:
    """The whole action from a clone; the repository holds modules that a careless Python would import."""
    action = cloned(tmp_path / "dedup action")
    for name in ("pip.py", "venv.py", "ensurepip.py"):
        repository.write(name, "open('owned', 'w')\nraise SystemExit(1)\n")
    runner = Runner(action.top, repository.top, tmp_path / "temporary", {})
    ran = runner.run(paths="docs", python=sys.executable)
    assert (ran.code, ran.outputs["passed"]) == (0, "true"), ran.log
    repository.write("docs/new.md", page("# New", prose(40), SHARED))
    ran = runner.run(paths="docs", python=sys.executable)
    assert (ran.code, ran.annotations()) == (1, [("error", "docs/new.md", "5", "5")])
    assert not (repository.top / "owned").exists()
    assert os.listdir(tmp_path / "temporary" / "dedup" / "bin")
