"""URLs of the pages that users see. A site includes them: `path("mailup/", include("django_mailup.urls"))`."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from . import views
from .secret import Secret

app_name = "django_mailup"


class SecretConverter(StringConverter):
    """A part of a path that views and the frames above them get as a Secret."""

    def to_python(self, value: str) -> Secret:  # type: ignore[override]
        return Secret(value)


register_converter(SecretConverter, "mailup_secret")

urlpatterns = [
    path("", views.ConnectionsView.as_view(), name="connections"),
    path("connect/", views.AuthorizeView.as_view(), name="authorize"),
    path("callback/", views.CallbackView.as_view(), name="callback"),
    path("callback/<mailup_secret:state>/", views.CallbackView.as_view(), name="callback"),
    path("disconnect/<uuid:key>/", views.DisconnectView.as_view(), name="disconnect"),
    path("failed/<slug:reason>/", views.FailedView.as_view(), name="failed"),
]
