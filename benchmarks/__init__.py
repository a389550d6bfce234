"""Each performance figure as a command that anyone can run: `python -m benchmarks.NAME`. See README.md beside this."""
