"""Claims held against a truth made by hand: near misses on every side, and the numbers that come of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sklearn.metrics import average_precision_score, brier_score_loss

from unbidden.evaluate import measures
from unbidden.evaluate.claims import Claim
from unbidden.evaluate.judge import AFTER, BEFORE, EVERYDAY, Judged, alerts, is_right, judge
from unbidden.evaluate.truth import Truth, understood

NOON = datetime(2026, 3, 9, 12)
SECOND = timedelta(seconds=1)
QUIET = timedelta(hours=36)


def text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds") + "Z"


def attack(user: str = "mara", prompts: int = 4, *, approved: bool = True, aftermath: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """An attack that begins at noon, asks every minute, and is approved ten seconds after the last prompt."""
    last = NOON + timedelta(minutes=prompts - 1)
    return {
        "id": f"attack-{user}", "family": "F1", "name": "flood", "campaign": None, "victim": user, "providers": ["okta"], "first_prompt_at": text(NOON),
        "last_prompt_at": text(last), "approved_at": text(last + 10 * SECOND) if approved else None, "prompts": prompts,
        "aftermath": [{"at": text(last + timedelta(minutes=5)), "kind": kind} for kind in aftermath], **more,
    }  # fmt: skip


def trap(user: str = "nils", at: datetime = NOON, **more: Any) -> dict[str, Any]:
    return {"id": f"trap-{user}", "family": "N1", "name": "mistap", "people": [user], "from": text(at), "to": text(at + timedelta(minutes=5)), **more}


def truth(attacks: tuple[dict[str, Any], ...] = (), traps: tuple[dict[str, Any], ...] = ()) -> Truth:
    prompts = [
        {"attack": one["campaign"] or one["id"], "user": one["victim"], "sent_at": text(NOON + number * timedelta(minutes=1)),
         "fate_at": text(NOON + number * timedelta(minutes=1) + 10 * SECOND), "events": []}
        for one in attacks for number in range(one["prompts"])
    ]  # fmt: skip
    whole: dict[str, Any] = {"plan": "test", "seed": 1, "people": 100, "start": text(NOON), "end": text(NOON + timedelta(days=10))}
    return understood({**whole, "attacks": list(attacks), "traps": list(traps), "prompts": prompts})


def claim(user: str = "mara", begin: datetime = NOON, minutes: float = 3, at: float = 1, **more: Any) -> Claim:
    return Claim(user, begin, begin + timedelta(minutes=minutes), begin + timedelta(minutes=at), **more)


def numbers(claims: list[Claim], told: Truth) -> dict[str, Any]:
    return measures.measured([judge(claims, told)])


def test_a_claim_about_the_victim_at_the_time_is_right() -> None:
    judged = judge([claim()], truth((attack(),)))
    assert [hit.attack.user for hit in judged.hits] == ["mara"]
    assert (judged.missed, judged.blamed) == ((), ())


def test_a_claim_about_somebody_else_is_false_and_the_attack_missed() -> None:
    judged = judge([claim("nils")], truth((attack(),)))
    assert (judged.hits, [missed.user for missed in judged.missed], judged.blamed) == ((), ["mara"], (EVERYDAY,))


@pytest.mark.parametrize(
    ("begin", "minutes", "is_hit"),
    [
        (NOON + timedelta(minutes=3) + 10 * SECOND + AFTER, 1, True),
        (NOON + timedelta(minutes=3) + 11 * SECOND + AFTER, 1, False),
        (NOON - BEFORE - timedelta(minutes=5), 5, True),
        (NOON - BEFORE - timedelta(minutes=5) - SECOND, 5, False),
    ],
)
def test_the_edges_of_an_attacks_time(begin: datetime, minutes: float, is_hit: bool) -> None:
    judged = judge([claim(begin=begin, minutes=minutes)], truth((attack(),)))
    assert (bool(judged.hits), bool(judged.blamed)) == (is_hit, not is_hit)


def test_what_was_done_with_the_access_belongs_to_the_attack() -> None:
    late = claim(begin=NOON + timedelta(minutes=7) + AFTER)
    assert judge([late], truth((attack(),))).hits == ()
    assert len(judge([late], truth((attack(aftermath=("factor",)),))).hits) == 1


def test_false_alerts_are_told_by_trap() -> None:
    told = truth((), (trap(),))
    assert judge([claim("nils")], told).blamed == ("mistap",)
    assert judge([claim("nils", NOON + timedelta(minutes=6) + AFTER)], told).blamed == (EVERYDAY,)
    assert judge([claim("olga")], told).blamed == (EVERYDAY,)


def test_another_kind_of_attack_is_neither_found_nor_false() -> None:
    told = truth((), (trap(name="phished", other_attack=True),))
    judged = judge([claim("nils"), claim("nils", NOON + QUIET)], told)
    assert (judged.hits, judged.blamed, judged.other_attacks) == ((), (EVERYDAY,), frozenset({"trap-nils"}))
    found = measures.measured([judged])
    assert found["other_attacks"] == {"phished": {"share": 1.0, "count": 1, "of": 1}}
    assert "phished" not in found["false_alerts"]["by_trap"]


def test_an_announced_exercise_is_excused_only_for_who_could_not_be_told() -> None:
    told = truth((), (trap(announced=True), trap("olga")))
    claims = [claim("nils"), claim("olga")]
    assert judge(claims, told).blamed == ("mistap", "mistap")
    assert judge(claims, told, excuse_announced=True).blamed == ("mistap",)


def test_repeating_within_the_quiet_time_is_one_alert() -> None:
    first, again = claim("nils"), claim("nils", NOON + timedelta(minutes=3) + QUIET)
    later = claim("nils", NOON + timedelta(minutes=3) + QUIET + SECOND)
    assert len(alerts([again, first])) == 1
    assert len(alerts([later, first])) == 2
    assert len(alerts([first, claim("olga")])) == 2
    assert judge([first, again], truth()).blamed == (EVERYDAY,)
    assert judge([first, later], truth()).blamed == (EVERYDAY, EVERYDAY)


def test_a_wide_claim_does_not_hide_the_gap_after_a_short_one() -> None:
    wide, short, last = claim("nils", minutes=6000), claim("nils", NOON + SECOND, minutes=1), claim("nils", NOON + timedelta(minutes=6000) + QUIET)
    assert len(alerts([wide, short, last])) == 1


def test_several_claims_about_one_attack_count_once() -> None:
    long = attack(last_prompt_at=text(NOON + timedelta(days=4)))
    found = numbers([claim(), claim(begin=NOON + timedelta(days=3))], truth((long,)))
    assert (found["recall"]["count"], found["alerts_per_attack"], found["duplicates"]) == (1, 2.0, 1)
    assert numbers([claim(), claim(at=2)], truth((long,)))["duplicates"] == 0


def test_stages() -> None:
    cases = {"attempted": attack(approved=False), "approved": attack(aftermath=("session",)), "persisted": attack(aftermath=("session", "policy"))}
    assert {stage: truth((told,)).attacks[0].stage for stage, told in cases.items()} == {stage: stage for stage in cases}
    assert truth((attack(approved=False, aftermath=("factor",)),)).attacks[0].stage == "attempted"
    claims = [claim(stage="attempted"), claim(stage="approved")]
    found = numbers(claims, truth((attack(),)))
    assert found["stage_accuracy"] == {"share": 1.0, "count": 1, "of": 1}
    assert numbers(claims[:1], truth((attack(),)))["stages"] == {"approved": {"attempted": 1}}
    assert numbers([claim()], truth((attack(),)))["stage_accuracy"]["of"] == 0, "a rule without stages is not judged by them"


def test_how_early_it_was() -> None:
    found = numbers([claim(at=1)], truth((attack(),)))
    assert found["before_approval"] == found["before_approval_after_three"] == {"share": 1.0, "count": 1, "of": 1}
    assert found["lead_minutes"]["median"] == pytest.approx(2 + 10 / 60, abs=1e-3)
    assert found["prompts_needed"]["median"] == 2


@pytest.mark.parametrize(("seconds", "is_before"), [(189, True), (190, False), (200, False)])
def test_at_the_approval_is_not_before_it(seconds: float, is_before: bool) -> None:
    found = numbers([claim(minutes=10, at=seconds / 60)], truth((attack(),)))
    assert found["before_approval"]["count"] == is_before


@pytest.mark.parametrize(("prompts", "counts"), [(3, 0), (4, 1)])
def test_three_prompts_before_the_one_that_was_approved(prompts: int, counts: int) -> None:
    assert numbers([claim()], truth((attack(prompts=prompts),)))["before_approval_after_three"]["of"] == counts


def test_a_missed_attack_was_not_seen_before_its_approval() -> None:
    assert numbers([], truth((attack(),)))["before_approval"] == {"share": 0.0, "count": 0, "of": 1}


def test_an_alert_that_stood_before_the_attack_is_not_early() -> None:
    stood = claim(begin=NOON - timedelta(hours=5), minutes=400, at=0)
    found = numbers([stood], truth((attack(),)))
    assert (found["recall"]["count"], found["stood_before"], found["before_approval"]["count"], found["prompts_needed"]["count"]) == (1, 1, 0, 0)


def test_rates_and_scopes() -> None:
    told = truth((attack(), attack("olga", providers=["duo"], difficulty="hard")), (trap(),))
    judged = judge([claim(), claim("nils")], told)
    found = measures.measured([judged], lambda one: "okta" in one.providers)
    assert (found["recall"]["share"], found["recall_in_scope"]["share"], found["precision"]["share"]) == (0.5, 1.0, 0.5)
    assert found["false_alerts"]["per_1000_person_days"] == 1.0
    assert found["false_alerts"]["by_trap"] == {"mistap": {"alerts": 1, "happened": 1}}
    assert {name: told["share"] for name, told in found["recall_by_difficulty"].items()} == {"hard": 0.0, "medium": 1.0}


def test_nothing_is_measured_of_nothing() -> None:
    found = measures.measured(list[Judged]([judge([], truth())]))
    assert found["recall"] == {"share": None, "count": 0, "of": 0, "range": None}
    assert (found["precision"]["share"], found["alerts_per_attack"], found["lead_minutes"]["median"]) == (None, None, None)


def test_one_victim_of_a_campaign_is_not_another() -> None:
    told = truth((attack("mara", campaign="c"), attack("olga", campaign="c")))
    judged = judge([claim("olga")], told)
    assert ([hit.attack.user for hit in judged.hits], [missed.user for missed in judged.missed]) == (["olga"], ["mara"])
    assert is_right(claim("olga"), told)
    assert not is_right(claim("nils"), told)


RANKED = [(99.0, True), (95.0, True), (95.0, False), (60.0, True), (60.0, False), (41.0, False), (12.0, True), (12.0, False), (1.0, False), (100.0, True)]


def test_ranks_are_worth_what_scikit_learn_says() -> None:
    said, seen = [risk / 100 for risk, _ in RANKED], [is_right for _, is_right in RANKED]
    assert measures.average_precision(RANKED) == pytest.approx(average_precision_score(seen, said), abs=1e-4)
    assert measures.calibration(RANKED)["brier"] == pytest.approx(brier_score_loss(seen, said), abs=1e-4)
    assert measures.average_precision([(50.0, False)]) is None


def test_a_risk_that_tells_the_truth_has_no_gap() -> None:
    honest = measures.calibration([(75.0, True)] * 3 + [(75.0, False)])
    assert honest["table"] == [{"from": 70, "to": 80, "incidents": 4, "said": 0.75, "seen": 0.75}]
    assert honest["mean_gap"] == 0
    assert measures.calibration([(100.0, True)])["table"][0]["to"] == 100
    assert measures.calibration([])["brier"] is None


def test_intervals_hold_the_share_and_stay_within_bounds() -> None:
    assert measures.interval(0, 0) is None
    for part, whole in ((0, 5), (5, 5), (33, 34)):
        low, high = measures.interval(part, whole) or (1, 0)
        assert 0 <= low <= round(part / whole, 4) <= high <= 1
    assert measures.interval(50, 100) == [0.4038, 0.5962]


def test_quantiles_are_values_that_occurred() -> None:
    assert measures.quantiles([3, 1, 2]) == {"count": 3, "p10": 1.0, "median": 2.0, "p90": 3.0}
    assert measures.quantiles([]) == {"count": 0, "p10": None, "median": None, "p90": None}
