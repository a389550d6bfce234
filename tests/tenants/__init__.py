"""A site with django-tenants: a PostgreSQL schema for each tenant. `tests/test_tenants.py` runs these tests.

To run them alone: `DATABASE_URL=postgres://… pytest --ds tests.tenants.settings tests/tenants`
"""
