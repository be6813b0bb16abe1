"""The settings of the doors, and the page that tells users of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from unbidden.doors import settings
from unbidden.doors.hec import PREFIX
from unbidden.doors.settings import Doors, Folder, HecToken, Http, Kafka, Listener


def models() -> list[type[BaseModel]]:
    found = [one for one in vars(settings).values() if isinstance(one, type) and issubclass(one, BaseModel)]
    return [one for one in found if one.__module__ == settings.__name__ and not one.__name__.startswith("_")]


def test_every_setting_is_described() -> None:
    assert len(models()) > 9
    assert [f"{model.__name__}.{name}" for model in models() for name, field in model.model_fields.items() if not field.description] == []
    assert [model.__name__ for model in models() if not model.model_config.get("frozen") or model.model_config.get("extra") != "forbid"] == []


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (HecToken, {"source": "a", "secret": "plain text"}),
        (HecToken, {"source": "a", "secret": "env:"}),
        (HecToken, {"source": "a", "secret": "env:A", "provider": "octa"}),
        (HecToken, {"source": "", "secret": "env:A"}),
        (Http, {"certificate": "cert.pem"}),
        (Http, {"port": 70_000}),
        (Http, {"prot": 1}),
        (Listener, {"transport": "tls"}),
        (Listener, {"transport": "relp"}),
        (Folder, {}),
        (Kafka, {"servers": "a:1", "topics": []}),
    ],
)
def test_wrong_settings_are_refused(model: type[BaseModel], told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(told)


def test_a_secret_that_stands_in_the_configuration_is_not_told_by_the_error_of_ours() -> None:
    with pytest.raises(ValidationError) as found:
        HecToken.model_validate({"source": "a", "secret": "hunter2"})
    assert "env:NAME or file:/path" in str(found.value)
    assert "hunter2" not in str(found.value)


def test_the_page_tells_of_every_door_and_its_settings_are_right(repository: Path) -> None:
    page = (repository / "docs" / "receiving.md").read_text("utf-8")
    told = tomllib.loads("\n".join(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)))
    doors = Doors.model_validate(told["doors"])
    assert {name for name in Doors.model_fields if not getattr(doors, name)} == set()
    assert {name for name in ("hec", "push", "okta", "graph") if doors.http is None or not getattr(doors.http, name)} == set()
    assert [path for path in (PREFIX, "/v1/ingest", "/v1/okta/events", "/v1/graph/notifications") if path not in page] == []
