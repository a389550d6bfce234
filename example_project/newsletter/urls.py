"""The URLs of the newsletter site's pages."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("account/", views.account, name="account"),
    path("choose/", views.choose, name="choose"),
    path("lists/", views.Lists.as_view(), name="lists"),
    path("lists/<int:list_id>/", views.groups, name="groups"),
    path("lists/<int:list_id>/recipients/", views.recipients, name="recipients"),
    path("lists/<int:list_id>/subscribe/", views.subscribe, name="subscribe"),
    path("lists/<int:list_id>/unsubscribe/<int:recipient_id>/", views.unsubscribe, name="unsubscribe"),
    path("lists/<int:list_id>/upload/", views.upload, name="upload"),
    path("lists/<int:list_id>/imports/<int:import_id>/", views.watch_import, name="import"),
    path("lists/<int:list_id>/statistics/", views.statistics, name="statistics"),
    path("sign-up/", views.sign_up, name="sign_up"),
]
