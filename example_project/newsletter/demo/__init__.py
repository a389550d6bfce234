"""The demo: its processes, and the journey of `demo --check`, which uses the site as a person would."""
