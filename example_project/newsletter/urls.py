"""The newsletter site's addresses."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("account/", views.account, name="account"),
    path("choose/", views.choose, name="choose"),
    path("lists/", views.Lists.as_view(), name="lists"),
    path("lists/<int:list_id>/", views.groups, name="groups"),
]
