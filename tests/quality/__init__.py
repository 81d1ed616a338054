"""The quality harness: plants repeats in base text, lets the scanner look, and scores what it found.

Enters: base text (real where the shared corpora lie beside the project, made-up otherwise) and a seed.
Leaves: tables for a person (``python -m tests.quality``) and floors for CI (``test_floors.py``).
Why: nobody can label all repeats of a real corpus, but what was planted is known to the character.
Nothing here imports the scanner's own tokeniser or kernel: the harness is a third oracle on purpose.
"""
