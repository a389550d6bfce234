"""The tenants, as django-tenants wants them."""

from __future__ import annotations

from django_tenants.models import DomainMixin, TenantMixin


class Tenant(TenantMixin):
    """A tenant. Saving one makes its schema."""


class Domain(DomainMixin):
    """A domain of a tenant."""
