"""URLs of the pages that users see. A site includes them: `path("mailup/", include("django_mailup.urls"))`."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "django_mailup"

urlpatterns = [
    path("", views.ConnectionsView.as_view(), name="connections"),
    path("connect/", views.AuthorizeView.as_view(), name="authorize"),
    path("callback/", views.CallbackView.as_view(), name="callback"),
    path("callback/<str:state>/", views.CallbackView.as_view(), name="callback"),
    path("disconnect/<int:pk>/", views.DisconnectView.as_view(), name="disconnect"),
    path("failed/<slug:reason>/", views.FailedView.as_view(), name="failed"),
]
