"""Client registrations, tokens and authorization requests: data, and questions about data. No I/O but the database."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from . import verdict
from .database_clock import DatabaseNow
from .exceptions import MailUpError, restore
from .partial_index import PartialIndex
from .vault.fields import EncryptedTextField, KeyIdField
from .vault.rows import SealedModel, SealedQuerySet
from .verdict import State

if TYPE_CHECKING:
    from django.contrib.auth.models import _User  # the site's user model, if mypy runs with the plugin of django-stubs
    from django.db.models.expressions import Combinable

DEFAULT_REGISTRATION: Final = "default"
CONNECT_SITE: Final = "django_mailup.connect_site"
"""The permission to connect the site itself."""


def _row_key() -> models.UUIDField[str | uuid.UUID, uuid.UUID]:
    """Return the column that names a row outside the statement that read it.

    Primary keys repeat in each schema of a database, and a key doesn't, so it can't name another tenant's row.
    """
    return models.UUIDField(_("key"), default=uuid.uuid4, unique=True, editable=False)


class ClientRegistration(SealedModel):
    """This site as MailUp knows it: an application with a client id and secret (RFC 6749 section 2)."""

    key = _row_key()
    name: models.CharField[str | Combinable, str] = models.CharField(_("name"), max_length=100)
    slug: models.SlugField[str | Combinable, str] = models.SlugField(
        _("slug"),
        unique=True,
        default=DEFAULT_REGISTRATION,
        help_text=_("How code names it. “default” is the one used when none is named."),
    )
    client_id = models.CharField(_("client ID"), max_length=100, unique=True)
    client_secret = EncryptedTextField(_("client secret"))
    enabled = models.BooleanField(_("enabled"), default=True)
    echoes_state = models.BooleanField(_("MailUp sends state back"), null=True, editable=False)
    failed_at = models.DateTimeField(_("refused by MailUp at"), null=True, blank=True, editable=False)
    error_code = models.CharField(_("error"), max_length=32, blank=True, editable=False)
    retry_at = models.DateTimeField(_("next try at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = SealedQuerySet["ClientRegistration"].as_manager()

    class Meta(SealedModel.Meta):
        verbose_name = _("client registration")
        verbose_name_plural = _("client registrations")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name or self.slug

    @property
    def last_error(self) -> MailUpError | None:
        """Why MailUp refused it, as an exception; None if it didn't."""
        return restore(self.error_code, {}) if self.error_code else None


class TokenQuerySet(SealedQuerySet["Token"]):
    """Questions about tokens."""

    def of(self, *, user: Any, registration: str = DEFAULT_REGISTRATION) -> TokenQuerySet:
        """Return the connections of one owner: a user, or None for the site itself."""
        owner = Q(user=user) if user is not None else Q(user__isnull=True)
        return self.filter(owner, registration__slug=registration).select_related("registration")

    def due(self, *, now: datetime) -> TokenQuerySet:
        """Return the tokens that the periodic renewal is to take up."""
        usable = Q(registration__retry_at__isnull=True) | Q(registration__retry_at__lte=now)
        return self.filter(
            usable, status=Token.Status.ACTIVE, refresh_at__lte=now, registration__enabled=True
        ).order_by("refresh_at", "pk")

    def in_state(self, state: State, *, now: datetime) -> TokenQuerySet:
        """Return the connections in one state, those that have been failing longest first. WELL has no index.

        The registrations are read at once, the connections when the result is used.

        Args:
            now: the current time, aware.
        """
        # Not in the order of an index: PostgreSQL would walk through all of it in search of the first rows.
        return self.filter(verdict.condition(state, self._moment(now))).order_by("failed_at", "pk")

    def with_state(self, *, now: datetime) -> TokenQuerySet:
        """Annotate `state`, a value of State, for the rows of one page: filter by `in_state`.

        Args:
            now: the current time, aware.
        """
        return self.annotate(state=verdict.label(self._moment(now)))

    def _moment(self, now: datetime) -> verdict.Moment:
        registrations = ClientRegistration.objects.using(self.db)
        return verdict.Moment(
            now=now,
            off=list(registrations.filter(enabled=False).values_list("pk", flat=True)),
            refused=list(registrations.filter(failed_at__isnull=False).values_list("pk", flat=True)),
        )

    def with_claim(self) -> TokenQuerySet:
        """Annotate `claim_is_live`: whether a renewal is under way, by the database's clock."""
        return self.annotate(
            claim_is_live=models.Case(
                models.When(claimed_until__gt=DatabaseNow(), then=True),
                default=False,
                output_field=models.BooleanField(),
            )
        )

    def bulk_update(self, objs: Iterable[Token], fields: Iterable[str], batch_size: int | None = None) -> int:
        """Update as Django does.

        Raises:
            FieldError: an encrypted field is named.
            ValueError: another managed field is named, which only the services write.
        """
        fields = list(fields)
        self.refuse_encrypted(fields)
        _refuse_managed(fields)
        return super().bulk_update(objs, fields, batch_size)

    def bulk_create(self, objs: Iterable[Token], *args: Any, **kwargs: Any) -> list[Token]:
        """Create as Django does.

        Raises:
            FieldError: existing rows would get an encrypted field.
            ValueError: existing rows would get another managed field.
        """
        self.refuse_encrypted(kwargs.get("update_fields") or ())
        _refuse_managed(kwargs.get("update_fields") or ())
        return super().bulk_create(objs, *args, **kwargs)


def _refuse_managed(names: Iterable[str]) -> None:
    managed = sorted(Token.MANAGED.intersection(names))
    if managed:
        raise ValueError(
            f"Only django_mailup's services may write {', '.join(managed)} of a Token: saving them could overwrite a"
            " newer pair. Read the row again, or use a function of django_mailup.services."
        )


class Token(SealedModel):
    """One connection: a MailUp account that a user, or the site itself (`user` is null), lets this site act on."""

    class Status(models.TextChoices):
        ACTIVE = verdict.ACTIVE, _("active")
        REAUTHORIZATION_REQUIRED = verdict.ENDED, _("must be reconnected")

    MANAGED: ClassVar[frozenset[str]] = frozenset(
        {
            "access_token",
            "refresh_token",
            "encryption_key_id",
            "expires_at",
            "refresh_at",
            "status",
            "refreshed_at",
            "failed_at",
            "failure_count",
            "error_code",
            "error_details",
            "blocked_until",
            "refused_generation",
            "generation",
            "claim_owner",
            "claimed_until",
            "interrupted",
        }
    )
    """Fields that only the services write, by compare-and-set. `save()` raises if one of them was assigned."""

    key = _row_key()
    registration: models.ForeignKey[ClientRegistration | Combinable, ClientRegistration] = models.ForeignKey(
        ClientRegistration, models.PROTECT, related_name="tokens", verbose_name=_("client registration")
    )
    user: models.ForeignKey[_User | Combinable | None, _User | None] = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="mailup_tokens",
        verbose_name=_("user"),
        help_text=_("Empty: the site's own connection."),
    )
    account_uid: models.CharField[str | Combinable | None, str | None] = models.CharField(
        _("account UID"), max_length=64, null=True, blank=True
    )
    account_username: models.CharField[str | Combinable, str] = models.CharField(
        _("MailUp user name"), max_length=150, blank=True
    )
    company: models.CharField[str | Combinable, str] = models.CharField(_("company"), max_length=255, blank=True)
    access_token = EncryptedTextField(_("access token"))
    refresh_token = EncryptedTextField(_("refresh token"), blank=True)
    encryption_key_id = KeyIdField(_("encryption key"), max_length=16, blank=True, db_index=True, editable=False)
    expires_at: models.DateTimeField[datetime | Combinable, datetime] = models.DateTimeField(_("expires at"))
    refresh_at = models.DateTimeField(_("renewal due at"))
    status = models.CharField(_("status"), max_length=32, choices=Status.choices, default=Status.ACTIVE)
    connected_at: models.DateTimeField[datetime | Combinable, datetime] = models.DateTimeField(_("connected at"))
    refreshed_at = models.DateTimeField(_("last renewed at"), null=True, blank=True)
    failed_at = models.DateTimeField(_("last failed at"), null=True, blank=True)
    failure_count = models.PositiveIntegerField(_("failures in a row"), default=0)
    error_code = models.CharField(_("error"), max_length=32, blank=True)
    error_details = models.JSONField(_("error details"), default=dict, blank=True)
    blocked_until = models.DateTimeField(_("blocked by MailUp until"), null=True, blank=True)
    refused_generation = models.PositiveBigIntegerField(null=True, editable=False)
    generation = models.PositiveBigIntegerField(_("generation"), default=1)
    claim_owner = models.CharField(max_length=36, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    interrupted = models.BooleanField(default=False, editable=False)

    objects = TokenQuerySet.as_manager()

    _managed: Mapping[str, Any] = {}
    """The managed fields as they were read."""

    class Meta(SealedModel.Meta):
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["registration", "user", "account_uid"], name="django_mailup_one_token_per_account"
            )
        ]
        indexes = [
            # Many rows may come due at the same moment: the primary key keeps them in order without a sort.
            models.Index(fields=["status", "refresh_at", "id"], name="django_mailup_due"),
            PartialIndex(fields=["expires_at"], rows=Q(status="active"), name="django_mailup_late"),
            PartialIndex(fields=["failure_count"], rows=Q(failure_count__gt=0), name="django_mailup_failing"),
            PartialIndex(fields=["blocked_until"], rows=Q(blocked_until__isnull=False), name="django_mailup_blocked"),
        ]
        permissions = [("connect_site", _("Can connect the site itself to MailUp"))]

    def __str__(self) -> str:
        return self.account_username or (f"#{self.pk}" if self.pk else "—")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the fields that the services don't manage. A new row is saved whole.

        Raises:
            ValueError: a managed field was assigned since the row was read, or is named in `update_fields`. Saving it
                could overwrite a newer pair.
        """
        if not self._state.adding:
            named = kwargs.get("update_fields")
            # update_or_create() names every field with a pre_save of its own, also those that nobody assigned.
            always = {field.name for field in self._meta.fields if type(field).pre_save is not models.Field.pre_save}
            _refuse_managed([*self._assigned_managed(), *(name for name in named or () if name not in always)])
            deferred = self.get_deferred_fields()
            kwargs["update_fields"] = [
                field.name
                for field in self._meta.concrete_fields
                if not field.primary_key
                and field.name not in self.MANAGED
                and (field.attname not in deferred if named is None else {field.name, field.attname} & set(named))
            ]
        super().save(*args, **kwargs)
        self._remember_managed()

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:  # Django 6.1 has one argument more
        token = super().from_db(*args, **kwargs)
        token._remember_managed()
        return token

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Token] | None = None,
    ) -> None:
        fields = list(fields) if fields is not None else None
        super().refresh_from_db(using, fields, from_queryset)
        self._remember_managed(fields)

    def _assigned_managed(self) -> list[str]:
        """Return the managed fields that were assigned since the row was read."""
        unread = object()
        return [
            name
            for name in self.MANAGED
            if name in self.__dict__ and self._managed.get(name, unread) != self.__dict__[name]
        ]

    def _remember_managed(self, names: Iterable[str] | None = None) -> None:
        """Keep managed fields (all, unless some are named) as they are now, to notice later which were assigned."""
        read = self.MANAGED if names is None else self.MANAGED.intersection(names)
        self._managed = {**self._managed, **{name: self.__dict__[name] for name in read if name in self.__dict__}}

    @property
    def is_active(self) -> bool:
        """Whether MailUp has not ended the connection."""
        return self.status == self.Status.ACTIVE

    @property
    def received_at(self) -> datetime:
        """When the stored pair came from MailUp."""
        return self.refreshed_at or self.connected_at

    @property
    def last_error(self) -> MailUpError | None:
        """Why the last renewal failed, as an exception; None if it didn't. Its text is made when it is asked for."""
        return restore(self.error_code, self.error_details) if self.error_code else None


class AuthorizationRequest(SealedModel):
    """One press of *Connect* that waits for MailUp's answer. Redeeming deletes it."""

    key = _row_key()
    state_hash = models.CharField(max_length=64, unique=True)
    session_hash = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    registration = models.ForeignKey(ClientRegistration, models.CASCADE, related_name="+")
    for_site = models.BooleanField(default=False)
    # A plain key: on MariaDB the foreign key of an uncommitted row would block the claim on the token it names.
    token_key = models.UUIDField(null=True)
    redirect_uri = models.TextField()
    state_in = models.CharField(max_length=5)  # "query" or "path": see connections/state_form.py
    hopped = models.BooleanField(default=False)
    code_verifier = EncryptedTextField(blank=True)
    next_url = models.TextField(blank=True)
    expires_at = models.DateTimeField(db_index=True)

    objects = SealedQuerySet["AuthorizationRequest"].as_manager()

    class Meta(SealedModel.Meta):
        verbose_name = _("authorization request")
        verbose_name_plural = _("authorization requests")

    def __str__(self) -> str:
        return f"#{self.pk}"
