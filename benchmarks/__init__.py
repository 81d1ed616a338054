"""Whole-process benchmarks of ``dedup scan`` beside other libraries; see README.md in this folder."""
