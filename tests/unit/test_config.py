"""Configuration: which file is found, what is read from it, and what is said of one that is wrong."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from dedup.config import Configuration, Ignored, in_folder, nearest, read
from dedup.errors import SettingsError

FINGERPRINT = "0123456789abcdef"


@pytest.fixture(autouse=True)
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The top of a repository, to work in."""
    (tmp_path / "top" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "top")
    return tmp_path / "top"


def written(path: str, text: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return path


def refusal(path: str, text: str | bytes) -> str:
    """What is said of a file."""
    Path(path).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestNearest:
    def test_without_a_file_it_is_empty(self) -> None:
        assert nearest() == Configuration()
        assert nearest().path is None

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("dedup.toml", "threshold = 0.7"),
            ("pyproject.toml", "[tool.dedup]\nthreshold = 0.7"),
            ("setup.cfg", "[dedup]\nthreshold = 0.7"),
        ],
    )
    def test_each_file_is_found(self, name: str, text: str) -> None:
        written(name, text)
        found = nearest()
        assert (found.path, found.folder) == (name, ".")
        assert float(found.values["threshold"]) == 0.7
        assert found.is_typed == name.endswith("toml")

    def test_within_a_directory_there_is_an_order(self) -> None:
        written("setup.cfg", "[dedup]\nseed = 3")
        assert nearest().path == "setup.cfg"
        written("pyproject.toml", "[tool.dedup]\nseed = 2")
        assert nearest().path == "pyproject.toml"
        written("dedup.toml", "")
        assert nearest() == Configuration("dedup.toml", ".")

    def test_the_nearest_directory_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        written("dedup.toml", "seed = 1")
        written("a/b/.keep", "")
        written("a/setup.cfg", "[dedup]\nseed = 2")
        monkeypatch.chdir("a/b")
        assert nearest().path == os.path.join("..", "setup.cfg")
        assert nearest().folder == ".."
        Path("../setup.cfg").unlink()
        assert nearest().path == os.path.join("..", "..", "dedup.toml")
        assert nearest().folder == os.path.join("..", "..")
        assert nearest().values == {"seed": 1}

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("pyproject.toml", "[project]\nname = 'dedup'"),
            ("pyproject.toml", "[tool.other]\nkey = 'dedup'"),
            ("pyproject.toml", "not TOML, and not ours"),
            ("setup.cfg", "[metadata]\nname = dedup\n[dedupe]\na = b"),
            ("setup.cfg", "neither an INI file, nor ours"),
        ],
    )
    def test_a_file_without_our_section_does_not_count(
        self, name: str, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written("dedup.toml", "")
        written(f"a/{name}", text)
        monkeypatch.chdir("a")
        assert nearest().path == os.path.join("..", "dedup.toml")

    def test_the_search_ends_with_the_repository(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "dedup.toml").write_text("")
        assert nearest().path is None
        written("sub/.git", "gitdir: elsewhere")  # as in a worktree
        written("dedup.toml", "")
        monkeypatch.chdir("sub")
        assert nearest().path is None
        written("dedup.toml", "")
        assert nearest().path == "dedup.toml"

    def test_a_directory_of_that_name_does_not_count(self) -> None:
        Path("dedup.toml").mkdir()
        assert nearest().path is None

    def test_in_a_working_directory_that_is_gone_there_is_none(self, tmp_path: Path) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()
        assert nearest() == Configuration()

    def test_of_one_directory(self) -> None:
        written("dedup.toml", "")
        Path("a").mkdir()
        assert in_folder("a") is None
        found = in_folder(".")
        assert found is not None
        assert found.path == "dedup.toml"


class TestContent:
    def test_keys_are_written_with_hyphens_or_underscores(self) -> None:
        written("dedup.toml", "min_tokens = 20\ntext-field = 'body'")
        assert nearest().values == {"min-tokens": 20, "text-field": "body"}

    def test_tables_of_one_command(self) -> None:
        expected = {"check": {"max-new": 2}, "scan": {"jobs": 1}}
        for path, text in (
            ("a.toml", "seed = 1\n[check]\nmax_new = 2\n[scan]\njobs = 1"),
            (
                "pyproject.toml",
                "[tool.dedup]\nseed = 1\n[tool.dedup.check]\nmax-new = 2\n[tool.dedup.scan]\njobs=1",
            ),
        ):
            found = read(written(path, text))
            assert (found.values, found.tables) == ({"seed": 1}, expected)

    def test_setup_cfg_has_strings(self) -> None:
        text = "[DEFAULT]\nx = 1\n[dedup]\npaths =\n    a b\n    # c\n    d%%\n[dedup:check]\nMax_New = 2\n"
        found = read(written("setup.cfg", text))
        assert found.values == {"paths": "\na b\nd%%"}
        assert found.tables == {"check": {"max-new": "2"}}

    def test_setup_cfg_may_hold_nothing_but_a_table(self) -> None:
        assert read(written("setup.cfg", "[dedup:scan]\nseed = 2\n")).tables == {"scan": {"seed": "2"}}

    def test_a_file_of_any_name(self) -> None:
        assert read(written("ci/strict", "seed = 1")).folder == "ci"
        assert read(written("ci/strict.ini", "[dedup]\nseed = 1")).values == {"seed": "1"}

    def test_a_byte_order_mark_is_no_matter(self) -> None:
        Path("dedup.toml").write_bytes(b"\xef\xbb\xbfseed = 1")
        assert nearest().values == {"seed": 1}

    def test_places(self) -> None:
        places = {
            "dedup.toml": ("dedup.toml", "dedup.toml: [scan]"),
            "pyproject.toml": ("pyproject.toml: [tool.dedup]", "pyproject.toml: [tool.dedup.scan]"),
            "setup.cfg": ("setup.cfg: [dedup]", "setup.cfg: [dedup:scan]"),
        }
        for path, expected in places.items():
            assert (Configuration(path).place(), Configuration(path).place("scan")) == expected


class TestErrors:
    @pytest.mark.parametrize(
        ("path", "text", "message"),
        [
            ("dedup.toml", "a = 1\nb =\n", "dedup.toml:2: is not TOML in column 4: Invalid value"),
            ("dedup.toml", "a = 1\n\n[b", "dedup.toml:3: is not TOML: "),
            ("dedup.toml", b"a = '\xff'", "dedup.toml: is not UTF-8 at byte 5"),
            ("dedup.toml", "min-tokens = 20\nmin_tokens = 20", "dedup.toml: min-tokens stands there twice"),
            ("dedup.toml", "ignore = 1", "dedup.toml: ignore is 1; expected tables headed [[ignore]]"),
            ("pyproject.toml", "[tool.dedup]\na =", "pyproject.toml:2: is not TOML"),
            (
                "pyproject.toml",
                "tool.dedup = 1",
                "pyproject.toml: tool.dedup is 1; expected a table [tool.dedup]",
            ),
            (
                "pyproject.toml",
                "[project]\nname = 'dedup'",
                "pyproject.toml: holds no configuration; expected [tool.dedup]",
            ),
            ("setup.cfg", "[metadata]", "setup.cfg: holds no configuration; expected [dedup]"),
            ("setup.cfg", "dedup = 1", "setup.cfg:1: is neither [section], key = value"),
            ("setup.cfg", "[dedup]\nno value\n", "setup.cfg:2: is neither [section], key = value"),
            (
                "setup.cfg",
                "[dedup]\nseed=1\nseed=2",
                "setup.cfg:3: option 'seed' in section 'dedup' already ",
            ),
            ("setup.cfg", "[dedup]\n[dedup]", "setup.cfg:2: section 'dedup' already exists"),
        ],
    )
    def test_one_line_with_the_place(self, path: str, text: str | bytes, message: str) -> None:
        assert refusal(path, text).startswith(message)

    def test_a_file_that_cannot_be_read(self) -> None:
        with pytest.raises(SettingsError, match=r"^gone.toml: cannot be read: no such file or directory$"):
            read("gone.toml")
        with pytest.raises(SettingsError, match=r"^\.: cannot be read: is a directory$"):
            read(".")

    def test_a_broken_file_is_not_passed_over_in_the_search(self) -> None:
        written("pyproject.toml", "[tool.dedup\n")
        with pytest.raises(SettingsError, match=r"^pyproject\.toml:1: is not TOML"):
            nearest()


ENTRY = f'[[ignore]]\nfingerprint = "{FINGERPRINT}"\nreason = "a licence"\n'


class TestIgnored:
    def test_complete(self) -> None:
        text = ENTRY + 'owner = "Ada"\nexpires = 2027-01-31\n'
        found = read(written("dedup.toml", text)).ignore
        place = "dedup.toml: [[ignore]] number 1"
        assert found == (Ignored(FINGERPRINT, "a licence", "Ada", date(2027, 1, 31), place),)

    def test_in_the_other_files(self) -> None:
        text = ENTRY.replace("[[ignore]]", "[tool.dedup]\n[[tool.dedup.ignore]]")
        [first] = read(written("pyproject.toml", text)).ignore
        assert first == (
            FINGERPRINT, "a licence", None, None, "pyproject.toml: [[tool.dedup.ignore]] number 1",
        )  # fmt: skip
        text = f"[dedup:ignore:bridge]\nfingerprint = {FINGERPRINT.upper()}\nreason = two\n  lines\nexpires=2027-01-31"
        [second] = read(written("setup.cfg", text)).ignore
        place = "setup.cfg: [dedup:ignore:bridge]"
        assert second == (FINGERPRINT, "two\nlines", None, date(2027, 1, 31), place)

    @pytest.mark.parametrize(
        "value", ["'2027-1-31'", "'2027-02-30'", "'20270131'", "2027-01-31T10:00:00", "7"]
    )
    def test_no_date(self, value: str) -> None:
        said = refusal("dedup.toml", f"{ENTRY}expires = {value}")
        assert said.startswith("dedup.toml: [[ignore]] number 1: expires is '")
        assert said.endswith("; expected a date such as 2027-01-31")

    @pytest.mark.parametrize("value", ['"0123"', f'"{FINGERPRINT}0"', f'"x{FINGERPRINT[1:]}"'])
    def test_no_fingerprint(self, value: str) -> None:
        said = refusal("dedup.toml", f"[[ignore]]\nfingerprint = {value}\nreason = 'r'")
        assert said.endswith("; expected 16 hex digits")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("reason = 'r'", "fingerprint is missing; expected 16 hex digits, as a report gives them"),
            (
                "fingerprint = 123\nreason = 'r'",
                "fingerprint is 123; expected 16 hex digits, as a report gives them",
            ),
            (f"fingerprint = '{FINGERPRINT}'", "reason is missing; expected why the copy is accepted"),
            (f"fingerprint = '{FINGERPRINT}'\nreason = ' '", "reason is ' '; expected why the copy is "),
            (f"fingerprint = '{FINGERPRINT}'\nreason = 'r'\nowner = 1", "owner is 1; expected a name"),
            ("finger = 1", "unknown key finger; did you mean fingerprint?"),
            ("xyz = 1", "unknown key xyz; known: expires, fingerprint, owner, reason"),
        ],
    )
    def test_incomplete(self, text: str, message: str) -> None:
        said = refusal("dedup.toml", f"{ENTRY}[[ignore]]\n{text}")
        assert said.startswith(f"dedup.toml: [[ignore]] number 2: {message}")

    def test_one_twice(self) -> None:
        assert refusal("dedup.toml", ENTRY + ENTRY) == (
            f"dedup.toml: [[ignore]] number 2: {FINGERPRINT} is accepted already, at dedup.toml: [[ignore]] number 1"
        )
