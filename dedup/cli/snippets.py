"""What a continuous integration is told, so that it runs ``dedup check``: a file for each, and where it belongs.

Enters: nothing. Leaves: constants.
"""

from __future__ import annotations

from typing import NamedTuple

from .. import __version__

_PACKAGE = f"dedup-spans[check]=={__version__}"


class Snippet(NamedTuple):
    """``path`` is from the top of a repository; the file is ``head`` and ``text``, the part to add to one that is
    there is ``text``, to be added as ``advice`` says. ``is_ours`` tells whether the file is for dedup alone.
    """

    path: str
    head: str
    text: str
    advice: str
    is_ours: bool


_GITHUB = f"""\
name: dedup
on:
  pull_request:
  push:
    branches: [main, master]
permissions:
  contents: read
jobs:
  dedup:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0  # the history tells which of two copies was there before
      - uses: actions/setup-python@v5
        with:
          python-version: "3.13"
      - run: pip install '{_PACKAGE}'
      - run: dedup check
"""

_GITLAB = f"""\
dedup:
  image: python:3.13  # with git, which the slim one lacks
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  variables:
    GIT_DEPTH: 0  # the history tells which of two copies was there before
  script:
    - pip install '{_PACKAGE}'
    - dedup check --format text --format gitlab=gl-code-quality-report.json
  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json
"""

_PRE_COMMIT = f"""\
  - repo: local
    hooks:
      - id: dedup
        name: dedup
        entry: dedup check --staged
        language: python
        additional_dependencies: ["{_PACKAGE}"]
        always_run: true
        pass_filenames: false
        require_serial: true
"""

SNIPPETS = {
    "github": Snippet(
        ".github/workflows/dedup.yml", "", _GITHUB, "use another name, or replace it with --force", True
    ),
    "gitlab": Snippet(".gitlab-ci.yml", "", _GITLAB, "add this job to it", False),
    "pre-commit": Snippet(
        ".pre-commit-config.yaml", "repos:\n", _PRE_COMMIT, "add this to its list of repos", False
    ),
}
