"""``python -m dedup``: the same as the command ``dedup``."""

from .cli import command

if __name__ == "__main__":
    command()
