"""Who has what open, without a server: it ends with the stream, and by itself when a page was not heard of for long."""

from __future__ import annotations

from unbidden.api.presence import LASTS_S, Presence


def test_one_who_has_it_open_twice_is_one_and_is_told_of_once() -> None:
    told: list[dict[str, list[str]]] = []
    presence = Presence(lambda: told.append({name: list(who) for name, who in presence.now().items()}))
    with presence.seat("i1", "dana"), presence.seat("i2", "eve"):
        with presence.seat("i1", "dana"):
            assert presence.now() == {"i1": ["dana"], "i2": ["eve"]}
        assert presence.now() == {"i1": ["dana"], "i2": ["eve"]}
    assert told == [{"i1": ["dana"]}, {"i1": ["dana"], "i2": ["eve"]}, {"i1": ["dana"]}, {}]


def test_a_page_that_begins_its_stream_anew_stays_and_one_that_does_not_goes() -> None:
    now = [0.0]
    presence = Presence(monotonic=lambda: now[0])
    with presence.seat("i1", "dana"), presence.seat("i1", "eve"):
        now[0] = LASTS_S - 1
        with presence.seat("i1", "dana"):
            now[0] = LASTS_S
            assert presence.now() == {"i1": ["dana"]}
            now[0] = 2 * LASTS_S
            assert presence.now() == {}
