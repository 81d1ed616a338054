"""``dedup init``: what a repository needs so that ``dedup check`` can guard it. Nothing is written over."""

from __future__ import annotations

import os

import click

from ..errors import InputError, OutputError
from ..verdict import BASELINE
from .configured import Configured
from .options import CONTEXT, OUTPUT, Command, flag, option
from .screen import say
from .snippets import SNIPPETS, Snippet

_EXAMPLES = """\b
Examples:
  dedup init
  dedup init --ci github --ci pre-commit
  dedup init --no-baseline --ci gitlab >> .gitlab-ci.yml

\b
Exit codes:
  0    done
  2    wrong usage, a configuration that cannot be read, or a file that cannot be written
  130  interrupted
"""

_FORCE = (
    "Replace what is for dedup alone: dedup.toml, the baseline, the workflow. Nothing else is ever replaced."
)
_CI = "Write the file for github, gitlab or pre-commit; if it is there already, print what belongs into it."


@click.command(cls=Command, epilog=_EXAMPLES, context_settings=CONTEXT)
@click.argument("folder", default=os.curdir, metavar="[DIR]")
@option(OUTPUT, "--ci", multiple=True, type=click.Choice(list(SNIPPETS)), metavar="NAME",
        help=f"{_CI} May be repeated.")  # fmt: skip
@flag(
    OUTPUT,
    "--no-baseline",
    help="Write no baseline; then every copy that is there already is new to a check.",
)
@flag(OUTPUT, "--force", help=_FORCE)
@flag(OUTPUT, "-q", "--quiet", help="No messages, only errors.")
@click.pass_context
def init(
    ctx: click.Context, folder: str, ci: tuple[str, ...], no_baseline: bool, force: bool, quiet: bool
) -> int:
    """Begin with dedup in a repository.

    Writes to DIR, the working directory if not given: a dedup.toml with every option and its default, commented out,
    and a baseline of the copies that are there today, so that "dedup check" fails only for new ones. Both are meant
    to be committed. Files that are there already stay as they are.
    """
    if not os.path.isdir(folder):
        raise InputError(f"{folder}: is not a directory; expected the top of what dedup is to guard")
    initiation = _Initiation(ctx, folder, force, quiet)
    initiation.configuration()
    for name in dict.fromkeys(ci):
        initiation.snippet(SNIPPETS[name])
    code = 0 if no_baseline else initiation.baseline()
    initiation.advise(bool(ci))
    return code


class _Initiation:
    """The steps, each of which tells in a line what it did."""

    def __init__(self, ctx: click.Context, folder: str, force: bool, quiet: bool) -> None:
        self._ctx, self._folder, self._force, self._quiet = ctx, folder, force, quiet

    def configuration(self) -> None:
        """Writes ``dedup.toml``, unless the directory has a configuration."""
        from .. import config
        from .template import commented

        path = self._place(config.OWN)
        is_there = os.path.lexists(path)
        if not (is_there and self._force):
            found = config.in_folder(self._folder)
            if is_there or found:
                self._say(f"{found.path if found else path} is there already: left as it is")
                return
        group = self._ctx.find_root().command
        assert isinstance(group, click.Group)
        commands = [command for command in group.commands.values() if isinstance(command, Configured)]
        self._write(path, commented(commands, {"baseline": BASELINE} if self._is_below_the_top() else {}))

    def snippet(self, snippet: Snippet) -> None:
        """Writes the file of a continuous integration, or prints what belongs into the one that is there."""
        path = self._place(snippet.path)
        if self._is_to_be_written(path) and (snippet.is_ours or not os.path.lexists(path)):
            self._write(path, snippet.head + snippet.text)
        else:
            self._say(f"{path} is there already: left as it is; {snippet.advice}:")
            click.echo(snippet.text, nl=False)

    def baseline(self) -> int:
        """Has ``dedup check`` write the baseline, as a person would; returns its exit code."""
        from .. import config

        found = config.in_folder(self._folder) or config.Configuration()
        values = {**found.values, **found.tables.get("check", {})}
        path = self._place(str(values.get("baseline", BASELINE)))
        if not self._is_to_be_written(path):
            self._say(f"{path} is there already: left as it is")
            return 0
        arguments = ["--config", found.path] if found.path else ["--no-config"]
        arguments += ["--update-baseline", "--baseline", path, *(["--quiet"] if self._quiet else [])]
        arguments += [] if "paths" in values else [self._folder]
        code = _run(self._ctx, "check", arguments)
        if "baseline" not in values and self._is_below_the_top():
            self._say(f'to have it found here, put into the configuration: baseline = "{BASELINE}"')
        return code

    def advise(self, has_ci: bool) -> None:
        """Tells what comes next."""
        from ..read import CACHE

        if not _is_ignored(self._place(".gitignore"), CACHE):
            self._say(f"{CACHE}/ belongs into .gitignore, which was not touched")
        more = "" if has_ci else "; for CI: dedup init --ci github, gitlab or pre-commit"
        there = "" if os.path.samefile(self._folder, os.curdir) else f" in {self._folder}"
        self._say(f"commit what was written, and run: dedup check{there}{more}")

    def _is_below_the_top(self) -> bool:
        """Whether a check looks for the baseline not here, but at the top of the repository."""
        from ..gate import git

        return git.top(self._folder) not in (None, os.path.realpath(self._folder))

    def _place(self, name: str) -> str:
        return os.path.normpath(os.path.join(self._folder, name))

    def _is_to_be_written(self, path: str) -> bool:
        return self._force or not os.path.lexists(path)

    def _write(self, path: str, text: str) -> None:
        from ..write.atomic import whole_file

        try:
            os.makedirs(os.path.dirname(path) or os.curdir, exist_ok=True)
            with whole_file(path) as stream:
                stream.write(text.encode())
        except OSError as error:
            raise OutputError(
                f"{path}: cannot be written: {(error.strerror or str(error)).lower()}"
            ) from error
        self._say(f"wrote {path}")

    def _say(self, message: str) -> None:
        if not self._quiet:
            say(message)


def _run(ctx: click.Context, name: str, arguments: list[str]) -> int:
    """Runs another command of the group with arguments as they are typed; returns its exit code."""
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    command = root.command.commands[name]
    with command.make_context(name, arguments, parent=root) as own:
        return int(command.invoke(own) or 0)


def _is_ignored(path: str, name: str) -> bool:
    """Whether a ``.gitignore`` names a directory."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return any(line.strip().strip("/") == name for line in stream)
    except OSError:
        return False
