"""Hostile requests: what they are made of, whom they come from, and what they must not do.

`python -m benchmarks.hostile` sends ten thousand of them, the tests here a few hundred.
"""
