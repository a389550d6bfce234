"""One command for each performance figure: `python -m benchmarks.NAME`. README.md in this folder lists them."""
