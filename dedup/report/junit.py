"""The gate's findings as JUnit XML: a suite for each rule, a case for each file with something new.

A case has one failure that lists the file's findings: readers take one of each case (GitLab, "Unit test
reports"), and name it by ``classname`` and ``name``. When the gate passes, its cases do, too.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import BinaryIO
from xml.etree import ElementTree

from ..verdict import Finding, Verdict
from .figures import count
from .finding import RULES, message, outcome, shown, tally
from .place import name
from .visible import visible

FILES = 10_000  # cases of a suite: GitLab refuses a report of more than 30 MB

_NO_XML = re.compile("[\ufffe\uffff]")  # the characters that XML 1.0 bars and that are not escaped as unseen


def write(verdict: Verdict, stream: BinaryIO, *, known: bool) -> None:
    """Write the suites. One without findings holds a case that passes."""
    root = ElementTree.Element("testsuites", name="dedup check")
    findings = [entry.finding for entry in shown(verdict, known=known)]
    for rule in RULES:
        _suite(root, verdict, rule, [finding for finding in findings if finding.rule == rule])
    if not findings and not verdict.gate.passed:
        suite = ElementTree.SubElement(root, "testsuite", name="gate")
        case = ElementTree.SubElement(suite, "testcase", classname="gate", name="dedup check")
        told = f"{outcome(verdict)} · {tally(verdict.gate)}"
        _told(case, "failure", [told], message=_safe(told), type="gate")
        _count(suite)
    ElementTree.indent(root)
    stream.write(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _suite(root: ElementTree.Element, verdict: Verdict, rule: str, findings: list[Finding]) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name=rule)
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        by_path.setdefault(finding.path, []).append(finding)
    for path, here in islice(by_path.items(), FILES):
        case = ElementTree.SubElement(suite, "testcase", classname=rule, name=_safe(path), file=_safe(path))
        lines = [f"{name(finding)}: {message(finding)}" for finding in here]
        if verdict.gate.passed:
            _told(case, "system-out", lines)
        else:
            _told(case, "failure", lines, message=count(len(here), RULES[rule].title.lower()), type=rule)
    if len(by_path) > FILES:
        more = f"{count(len(by_path) - FILES, 'more file')} with findings"
        case = ElementTree.SubElement(suite, "testcase", classname=rule, name=more)
        _told(case, "system-out" if verdict.gate.passed else "failure", [more])
    if not by_path:
        ElementTree.SubElement(suite, "testcase", classname=rule, name=f"no {RULES[rule].title.lower()}")
    _count(suite)


def _told(case: ElementTree.Element, tag: str, lines: list[str], **attributes: str) -> None:
    ElementTree.SubElement(case, tag, attributes).text = "\n".join(_safe(line) for line in lines)


def _count(suite: ElementTree.Element) -> None:
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in suite)))
    suite.set("errors", "0")
    suite.set("skipped", "0")


def _safe(text: str) -> str:
    """A text without what XML 1.0 cannot hold, each such character written as its escape."""
    return _NO_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", visible(text))
