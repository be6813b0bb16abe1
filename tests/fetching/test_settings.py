"""What a user may say of a source, and what is said when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from unbidden.errors import UnusableInputError
from unbidden.fetching.settings import KINDS, Okta
from unbidden.settings import read_settings

OKTA = 'kind = "okta"\nurl = "https://example.okta.com/"\n'


def read(folder: Path, text: str) -> object:
    """The source of a file."""
    file = folder / "unbidden.toml"
    file.write_text(text, "utf-8")
    return read_settings(file).source["idp"]


def test_a_table_is_read_by_its_kind(tmp_path: Path) -> None:
    told = read(tmp_path, f'[source.idp]\n{OKTA}token = "env:OKTA"\n')
    assert isinstance(told, Okta)
    assert told.url == "https://example.okta.com"


def test_every_field_is_described_and_nothing_can_be_changed_or_added() -> None:
    for model in KINDS.values():
        assert [name for name, field in model.model_fields.items() if not field.description or field.description[-1] != "."] == []
        assert model.model_config["frozen"]
        assert model.model_config["extra"] == "forbid"
        assert model.__doc__


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('kind = "okto"', "kind: there is no such kind; is okta meant?"),
        ('url = "https://x"', "kind"),
        (f'{OKTA}token = "00QCjAl4MlV"', "token: a secret is named by env:NAME or file:/path"),
        (f'{OKTA}token = "env:A"\ncolour = 1', "colour"),
        (OKTA, "give either token, or client_id and private_key"),
        (f'{OKTA}client_id = "a"', "give either token"),
        ('kind = "okta"\ntoken = "env:A"\nurl = "http://example.okta.com"', "url: write an address that begins with https://"),
        ('kind = "okta"\ntoken = "env:A"\nurl = "https://me:secret@example.okta.com"', "neither query nor credentials"),
        ('kind = "graph"\ntenant = "a/b"\nclient_id = "c"\nclient_secret = "env:S"', "tenant"),
        ('kind = "graph"\ntenant = "a"\nclient_id = "c"\nclient_secret = "env:S"\nstreams = ["mail"]', "streams"),
        ('kind = "privacyidea"\nurl = "https://mfa.example.com"\nuser = "reader"', "give either token, or user and password"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UnusableInputError, match=r"\[source\.idp\]") as caught:
        read(tmp_path, f"[source.idp]\n{text}\n")
    assert told in str(caught.value)
    assert "00QCjAl4MlV" not in str(caught.value)
    assert "me:secret" not in str(caught.value)


def test_a_name_is_plain(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="small letters"):
        read(tmp_path, f'[source."A/B"]\n{OKTA}token = "env:A"')
