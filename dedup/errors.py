"""The exceptions that dedup raises, and the exit code each one stands for.

::

    DedupError                something that the user can act on; one line: place, found, expected, what to do
     ├── SettingsError        a setting is out of range, unknown, or contradicts another one
     ├── InputError           an input as a whole cannot be used (a path that does not exist, no input at all)
     ├── OutputError          a report cannot be written where it was asked for
     ├── ManifestError        a manifest is damaged, of another version, or does not fit what it describes
     ├── BaselineError        a baseline is missing, damaged, or of another version
     ├── ResultError          a saved result is damaged, of another version, or none
     ├── DedupIndexError      an index is missing, busy, of another version, or not what was asked for
     │    └── DamagedIndexError   what it holds is not what was written
     ├── KernelError          a kernel was asked for by name and is not there
     └── DependencyError      an optional package is needed for this and is not installed

An input that can be passed over (one unreadable file among many) raises nothing: it becomes a
:class:`dedup.model.Skipped` and is reported.
"""


class DedupError(Exception):
    """Base of all errors that dedup raises on purpose; its text is one line for the user."""

    exit_code = 2


class SettingsError(DedupError):
    """A setting is out of range, unknown, or contradicts another."""


class InputError(DedupError):
    """An input as a whole cannot be used."""


class OutputError(DedupError):
    """A report cannot be written where it was asked for."""

    @classmethod
    def of(cls, name: str, error: OSError) -> "OutputError":
        """The error that says why ``name`` cannot be written."""
        return cls(f"{name}: cannot be written: {(error.strerror or str(error)).lower()}")


class ManifestError(DedupError):
    """A manifest is damaged, of another version, or does not fit what it describes."""


class BaselineError(DedupError):
    """A baseline is missing, damaged, or of another version."""


class ResultError(DedupError):
    """A saved result is damaged, of another version, or none."""


class DedupIndexError(DedupError):
    """An index is missing, busy, of another version, or not what was asked for."""


class DamagedIndexError(DedupIndexError):
    """What an index holds is not what was written."""


class KernelError(DedupError):
    """The kernel that was asked for is not available."""


class DependencyError(DedupError):
    """An optional package is needed and missing."""
