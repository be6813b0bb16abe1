"""What leaves the product as a file: no cell of CSV is a formula, Parquet and the API hold the log's own words."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from urllib.parse import quote

import httpx2

from tests.api.surroundings import client
from tests.console.conftest import Site
from tests.hostile.conftest import Case
from tests.hostile.strings import UNSEEN
from unbidden.views.hunts import hunts

FORMULA = "=+-@\t\r"


def fetched(site: Site, place: str) -> httpx2.Response:
    """An answer of the console."""
    return httpx2.get(site.url + place, timeout=30.0)


def cells_of(text: str, separator: str) -> list[str]:
    """The cells as a spreadsheet with this separator cuts them."""
    return [cell for row in csv.reader(io.StringIO(text), delimiter=separator) for cell in row]


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_no_cell_is_a_formula_however_the_file_is_cut(site: Site) -> None:
    cells = 0
    for name in hunts():
        answer = fetched(site, f"/hunt?name={name}&form=csv")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert UNSEEN.findall(answer.text) == []
        for separator in (",", ";", "\t", "|"):
            found = cells_of(answer.text, separator)
            cells += len(found)
            assert [cell for cell in found if cell.lstrip(' "')[:1] in FORMULA and cell.lstrip(' "') and not is_number(cell)] == []
    assert cells


def test_parquet_holds_the_words_of_the_log(case: Case, site: Site, tmp_path: Path) -> None:
    words = set()
    for name in hunts():
        file = tmp_path / f"{name}.parquet"
        file.write_bytes(fetched(site, f"/hunt?name={name}&form=parquet").content)
        words |= {
            str(value) for row in case.run.con.cursor().execute("SELECT COLUMNS(*)::VARCHAR FROM read_parquet($1)", [str(file)]).fetchall() for value in row
        }
    # Not every question has an answer in every log; what there is of names is as the log has it.
    assert {one["user"] for one in case.incidents} & words


def test_the_api_tells_json_and_says_so(case: Case, site: Site) -> None:
    api = client(site.around.desk)
    for one in case.incidents:
        answer = api.get(f"/v1/incidents/{one['id']}")
        assert answer.headers["content-type"].startswith("application/json")
        # No database keeps a NUL.
        assert answer.json()["document"] == json.loads(json.dumps(one).replace("\\u0000", "\\ufffd"))
        named = api.get(f"/v1/people/{quote(one['user'], safe='')}")
        assert named.status_code == 200
        assert named.json()["items"][0]["user"] == one["user"]
    stream = api.get("/v1/incidents?text=" + quote(case.incidents[0]["user"][:40], safe=""))
    assert stream.json()["items"]
