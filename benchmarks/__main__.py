"""``python -m benchmarks [compare | shapes | scale | index]``; without a word, ``compare``."""

from __future__ import annotations

import argparse
import sys

from benchmarks import memory, run, scale, shapes

COMMANDS = {
    "compare": (run, "dedup and the rivals on one corpus"),
    "shapes": (shapes, "hard shapes beside ordinary text"),
    "scale": (scale, "two sizes, with and without passages, and filter"),
    "index": (memory, "an index of many documents, built and asked"),
}


def main(arguments: list[str]) -> int:
    """Parse the command line and run one of them."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Whole-process benchmarks of dedup."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module, summary) in COMMANDS.items():
        module.add_options(commands.add_parser(name, help=summary, description=summary))
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        arguments = ["compare", *arguments]
    options = parser.parse_args(arguments)
    module, _ = COMMANDS[options.command]
    return int(module.main(options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
