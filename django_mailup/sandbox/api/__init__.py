"""The REST API: `dispatch` answers requests; each other module holds the operations of one resource.

The modules have the names of those in `django_mailup.mailup.resources`, so an operation is found in both by its name.
"""
