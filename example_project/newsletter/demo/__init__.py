"""The demo: what starts and ends its processes, and the journey that `demo --check` plays."""
