"""The mutation tester: puts faults into the package, one at a time, and looks whether a test fails.

`python -m tests.mutation --help`; docs/testing.md says what it is for. `operators` makes the mutants, `reach` finds the
tests for each, `run` runs them, `results` stores and reports, `settings` reads `[tool.mutation]` in pyproject.toml.
Nothing in it imports the package: a mutant is put in place when a process of its own imports it.
"""
