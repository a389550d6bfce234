"""The REST API. `dispatch` answers requests by the table in `routes`; the other modules hold one resource's operations.

They have the names of the modules in `django_mailup.mailup.resources`, so an operation is found in both by its name.
"""
