"""An index of few of a table's rows, on databases that have such indexes; elsewhere of all rows."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q


class PartialIndex(models.Index):
    """An index of the rows that fulfil a condition. Where the database can't do that (MariaDB, MySQL), of all rows.

    With `condition`, which Django's Index has, there would be no index on those databases and a warning (models.W037).

    Args:
        rows: the condition.
        fields, name: as of Django's Index.
    """

    def __init__(self, *, rows: Q, **options: Any) -> None:
        super().__init__(**options)
        self.rows = rows

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Any:
        condition = self.rows if schema_editor.connection.features.supports_partial_indexes else None
        plain = models.Index(fields=self.fields, name=self.name, condition=condition)
        return plain.create_sql(model, schema_editor, using=using, **kwargs)

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "rows": self.rows}
