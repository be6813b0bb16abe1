"""The configuration: what it says of itself, where its paths lead, and what is said of a wrong one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from unbidden.errors import UnusableInputError
from unbidden.settings import Settings, read_settings, settings_of
from unbidden.settings.places import TEXTS, changes, references_of
from unbidden.settings.shapes import tables_of, toml_of

WRONG = """
nam = "x"
[lake]
rooot = "a"
interval_s = 4
keep_raw_days = "many"
[alerts.x]
[alert.x]
kind = "webhook"
url = "https://example.com"
secret = "not-a-reference"
[alert.y]
kind = "slak"
[alert.z]
url = "a"
[doors.http]
certificate = "a"
[[doors.http.hec]]
source = "a"
secret = "env:A"
[[doors.http.hec]]
sorce = "b"
secret = "env:B"
[source.okta]
kind = "okta"
url = "https://example.okta.com"
"""


def said(text: str) -> list[str]:
    """What is said of a wrong text, line by line, without the file."""
    with pytest.raises(UnusableInputError) as told:
        settings_of(text, Path("u.toml"))
    return [line.removeprefix("u.toml: ") for line in str(told.value).splitlines()]


def test_all_faults_are_said_at_once_each_with_its_place() -> None:
    lines = said(WRONG)
    assert {
        "nam: there is no such key; is name meant?",
        "[lake] rooot: there is no such key; is root meant?",
        "[lake] interval_s: there is no such key; is [source.NAME] interval_s meant?",
        "alerts: there is no such key; is alert meant?",
        "[alert.x] secret: a secret is named by env:NAME or file:/path; it is never written into the configuration itself",
        "[alert.y] kind: there is no such kind; is slack meant?",
        "[alert.z] kind: it is missing; it is one of apprise, email, slack, syslog, teams, webhook",
        "[[doors.http.hec]] 2, sorce: there is no such key; is source meant?",
        "[[doors.http.hec]] 2, source: it is missing",
        "[source.okta]: give either token, or client_id and private_key",
    } <= set(lines)
    assert any(line.startswith("[lake] keep_raw_days: ") for line in lines)


def test_no_fault_shows_a_value() -> None:
    assert "not-a-reference" not in "\n".join(said(WRONG))


@pytest.mark.parametrize(("text", "where"), [("a = \n", "line 1, column 5"), ('[lake]\nroot = "x\n', "line 2, column"), ("[lake]\n[lake]\n", "line 2")])
def test_a_text_that_is_no_toml_is_said_with_its_line(text: str, where: str) -> None:
    assert said(text)[0].startswith(f"u.toml, {where}")


QUIET = """
[alert.m]
kind = "email"
host = "a"
sender = "a@b.c"
to = ["a@b.c"]
[alert.m.quiet]
time_zone = "UTC"
sart = 1
start = 22:00:00
end = 07:00:00
"""


def test_what_may_be_meant_is_looked_for_in_the_same_table_first() -> None:
    assert said(QUIET) == ["[alert.m.quiet] sart: there is no such key; is start meant?"]


PLACED = """
[lake]
root = "lake"
options = {AWS_SECRET_ACCESS_KEY = "file:s3"}
[desk]
url = "sqlite:///desk.db"
[judge]
people = "people.csv"
trust = "/etc/trust.csv"
lists = ["tor=exits.txt"]
[[doors.folders]]
path = "in"
[alert.siem]
kind = "syslog"
host = "siem.example.com"
transport = "tls"
ca_file = "ca.pem"
[source.duo]
kind = "duo"
url = "https://api-1.duosecurity.com"
integration_key = "DI"
secret_key = "file:keys/duo"
"""


def test_paths_are_relative_to_the_folder_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "u.toml"
    file.write_text(PLACED, "utf-8")
    told = read_settings(file)
    assert told.lake.root == f"{tmp_path}/lake"
    assert told.desk.url == f"sqlite:///{tmp_path}/desk.db"
    assert (told.judge.people, told.judge.trust) == (tmp_path / "people.csv", Path("/etc/trust.csv"))
    assert told.judge.lists == (f"tor={tmp_path}/exits.txt",)
    assert told.doors.folders[0].path == tmp_path / "in"
    assert told.alert["siem"].model_dump()["ca_file"] == f"{tmp_path}/ca.pem"
    assert dict(references_of(told)) == {
        "[lake.options] AWS_SECRET_ACCESS_KEY": f"file:{tmp_path}/s3",
        "[source.duo] secret_key": f"file:{tmp_path}/keys/duo",
    }


def test_addresses_and_absolute_paths_stay() -> None:
    told = settings_of('[lake]\nroot = "s3://bucket/lake"\n[desk]\nurl = "sqlite:////var/desk.db"\n', Path("etc/u.toml"))
    assert (told.lake.root, told.desk.url) == ("s3://bucket/lake", "sqlite:////var/desk.db")
    assert settings_of('[desk]\nurl = "env:DESK"\n', Path("etc/u.toml")).desk.url == "env:DESK"


def test_every_text_that_is_a_path_is_one_of_a_model() -> None:
    known = {(table.model.__name__, key.name) for table in tables_of(Settings) for key in table.keys}
    assert set(TEXTS) - known == set()
    likely = {(table.model.__name__, key.name) for table in tables_of(Settings) for key in table.keys if key.name.endswith("_file") and key.type == "text"}
    assert likely - set(TEXTS) == set()


def test_every_key_has_a_description() -> None:
    assert [f"{table.head} {key.name}" for table in tables_of(Settings) for key in table.keys if len(key.about) < 4] == []
    assert [table.head for table in tables_of(Settings) if not table.about] == []


def test_the_defaults_are_the_defaults() -> None:
    for table in tables_of(Settings):
        for key in table.keys:
            if key.default is not None:
                field = table.model.model_fields[key.name]
                assert toml_of(tomllib.loads(f"x = {key.default}")["x"]) == toml_of(field.get_default(call_default_factory=True))


def test_what_changed_is_said_by_its_place_alone() -> None:
    old = settings_of('[alert.a]\nkind = "teams"\nurl = "env:A"\n[alert.b]\nkind = "teams"\nurl = "env:A"\n', Path("u.toml"))
    new = settings_of(
        '[lake]\nkeep_raw_days = 60\n[alert.a]\nkind = "slack"\nwebhook = "env:A"\n[alert.c]\nkind = "teams"\nurl = "env:A"\n[doors.syslog]\n', Path("u.toml")
    )
    assert list(changes(old, new)) == [
        "[lake] keep_raw_days changed", "[doors.syslog] is new", "[alert.a] is of another kind", "[alert.b] is gone", "[alert.c] is new",
    ]  # fmt: skip
    assert list(changes(old, old)) == []


def test_what_changed_in_a_row_of_tables_is_said_by_its_number() -> None:
    rows = ['[[doors.folders]]\npath = "a"\n', '[[doors.folders]]\npath = "b"\n', '[[doors.folders]]\npath = "c"\n']
    one, two, three = (settings_of(text, Path("u.toml")) for text in (rows[0], rows[0] + rows[1], rows[0] + rows[2]))
    assert list(changes(one, two)) == ["[[doors.folders]] 2 is new"]
    assert list(changes(two, three)) == ["[[doors.folders]] 2, path changed"]


def test_models_are_found_however_deep() -> None:
    assert all(issubclass(table.model, BaseModel) for table in tables_of(Settings))
    assert {"[lake]", "[[doors.syslog.listeners]]", "[alert.NAME.quiet]", "[source.NAME]"} <= {table.head for table in tables_of(Settings)}
