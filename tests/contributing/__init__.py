"""An example for each recipe in CONTRIBUTING.md, which `tests/test_contributing.py` follows."""
