"""Benchmarks of the SDK against what a user would pick instead. ``make bench`` writes ``RESULTS.md``."""
