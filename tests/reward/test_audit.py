"""The audit: the card's designs as they deserve, and each check on an example that can be worked out by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from esi_triage.errors import InputError
from esi_triage.reward import Audit, Design, Finding, audit, design_names, load_design
from esi_triage.reward.audit.beliefs import misfits
from esi_triage.reward.audit.game import silence_margin
from esi_triage.reward.audit.text import as_text
from esi_triage.reward.policy import cut_off, read_prior, warm_start

Table = Sequence[Sequence[float]]
MIMIC = read_prior("mimic-iv-ed", 5)


def design(table: Table, no_parse: float = -9.0, **more: Any) -> Design:
    return Design.model_validate({"name": "example", "table": table, "no_parse": no_parse, **more})


def audited(table: Table, prior: list[float], policy: Any = 0.8, group: int = 8, **more: Any) -> Audit:
    shares = np.array(prior)
    start = warm_start(shares, policy) if isinstance(policy, float) else np.array(policy)
    return audit(design(table, **more), shares, start, group)


def found(result: Audit, check: str, severity: str) -> list[Finding]:
    return [finding for finding in result.findings if (finding.check, finding.severity) == (check, severity)]


# --- the card's designs


def test_v45c_is_an_error_because_esi_1_is_never_punished_and_the_best_constant() -> None:
    result = audit(load_design("v45c"), MIMIC)
    assert result.verdict == "error"
    [error] = [finding for finding in result.findings if finding.severity == "error"]
    assert error.check == "costless"
    assert "ESI-1 is never punished" in error.message
    # 25,363 of 441,437 patients are ESI-1: twenty times as many are 54.97 % of the training stream
    assert error.numbers["reward"] == pytest.approx(20 * 25363 / (441437 + 19 * 25363))
    assert result.measured["lazy"]["best_lazy"] == "ESI-1"
    assert "from ESI-3 to ESI-1" in found(result, "lazy", "note")[0].message


@pytest.mark.parametrize("name", ["v46", "v47"])
def test_v46_warns_of_the_free_zone_and_of_the_pull_to_esi_2(name: str) -> None:
    result = audit(load_design(name), MIMIC)
    assert result.verdict == "warning"
    [zone] = found(result, "costless", "warning")
    assert zone.numbers["free_cells"] == 12
    assert ["ESI-3", "ESI-2", 0.0] in zone.numbers["free_zone"]
    [pull] = found(result, "drift", "warning")
    assert "ESI-2" in pull.message
    assert pull.numbers["predicted_after"]["ESI-2"] > 2 * pull.numbers["natural"]["ESI-2"]


def test_v48_warns_and_the_verdict_on_the_card_s_explanation_is_that_the_table_does_not_bear_it() -> None:
    result = audit(load_design("v48"), MIMIC)
    assert result.verdict == "warning"
    [warning] = found(result, "silence", "warning")
    assert ["ESI-1", "ESI-4"] in warning.numbers["outranked_without_bonuses"]  # -0.7 is below -0.5, as the card says
    assert warning.numbers["outranked"] == []  # but -0.7 + 0.25 is not, once bonuses are paid
    assert "best act for no belief" in warning.message
    assert "no reason to opt out" in warning.message


@pytest.mark.parametrize(("name", "margin"), [("v45c", -0.2), ("v46", -0.214), ("v47", -0.214), ("v48", -0.4)])
def test_silence_is_the_best_act_for_no_belief_under_any_shipped_table(name: str, margin: float) -> None:
    measured = audit(load_design(name), MIMIC).measured["silence"]
    assert measured["margin_of_silence_without_bonuses"] == pytest.approx(margin, abs=0.0005)
    assert measured["margin_of_silence"] <= measured["margin_of_silence_without_bonuses"] + 1e-9


def test_the_card_s_lesson_about_silence_is_broken_by_v46_too() -> None:
    [warning] = found(audit(load_design("v46"), MIMIC), "silence", "warning")
    assert len(warning.numbers["outranked_without_bonuses"]) == 7  # -1, -1.5 and -2 are below -0.5
    assert warning.numbers["above_mean_wrong_at"] == ["ESI-1"]
    assert warning.numbers["above_warm_start_at"] == []


def test_cut_answers_starve_groups_of_signal_and_do_not_make_silence_pay() -> None:
    """v48 with nine answers of ten cut at the token limit: the card's other suspect."""
    result = audit(load_design("v48"), MIMIC, cut_off(warm_start(MIMIC), 0.9))
    measured = result.measured["groups"]
    assert measured["without_signal"] == pytest.approx(0.9**8, abs=1e-4)
    gains = measured["advantages"]["group"]
    assert all(row["no answer"] < min(row[f"ESI-{level}"] for level in range(1, 6)) for row in gains.values())


def test_a_table_without_incentives_is_clean() -> None:
    assert audited([[1, -1], [-1, 1]], [0.5, 0.5]).verdict == "clean"


# --- check 1: lazy policies


def test_lazy_policies_before_and_after_oversampling() -> None:
    result = audited([[1, -1], [-1, 1]], [0.25, 0.75], oversample={1: 3})  # the stream is half and half
    measured = result.measured["lazy"]
    assert measured["natural"] == pytest.approx(
        {"level 1": -0.5, "level 2": 0.5, "no answer": -9, "warm start": 0.6, "oracle": 1}
    )
    assert measured["training"] == pytest.approx(
        {"level 1": 0, "level 2": 0, "no answer": -9, "warm start": 0.6, "oracle": 1}
    )
    assert measured["warm_start_wins_above_skill"] == pytest.approx(0.5)
    assert not found(result, "lazy", "error")


@pytest.mark.parametrize(("skill", "errors"), [(0.7, 1), (0.75, 1), (0.8, 0)])
def test_a_warm_start_no_better_than_a_constant_is_an_error(skill: float, errors: int) -> None:
    result = audited(
        [[1, -1], [-1, 1]], [0.25, 0.75], skill
    )  # always 2: 0.75 - 0.25; the warm start: skill - (1 - skill)
    assert len(found(result, "lazy", "error")) == errors


def test_silence_can_be_the_best_lazy_policy() -> None:
    [error] = found(audited([[1, -1], [-1, 1]], [0.5, 0.5], no_parse=0.7), "lazy", "error")
    assert error.numbers["best_lazy"] == "no answer"
    assert "Never answering" in error.message


def test_lazy_policies_earn_the_bonuses_that_are_paid_to_wrong_answers() -> None:
    bonus = {"length_bonus": 0.4, "length_scale": "flat"}
    for paid, pay in (("parsed", 0.4), ("exact", 0.1)):  # level 1 is exact in a quarter of the cases
        lazy = audited([[1, -1], [-1, 1]], [0.25, 0.75], length_paid=paid, **bonus).measured["lazy"]
        assert lazy["natural"]["level 1"] == pytest.approx(-0.5 + pay)


# --- check 2: costless acts

MIDDLE = [[1.0, 0.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, 0.0, 1.0]]  # level 2 is never punished


@pytest.mark.parametrize(("prior", "errors"), [([0.2, 0.6, 0.2], 1), ([0.45, 0.1, 0.45], 1), ([0.98, 0.01, 0.01], 0)])
def test_a_level_never_punished_is_an_error_where_it_is_the_best_constant(prior: list[float], errors: int) -> None:
    result = audited(MIDDLE, prior, 0.99)
    assert result.measured["costless"]["never_punished"] == ["level 2"]
    assert len(found(result, "costless", "error")) == errors
    [warning] = found(result, "costless", "warning")
    assert warning.numbers["free_zone"] == [["level 1", "level 2", 0.0], ["level 3", "level 2", 0.0]]


def test_bonuses_open_a_free_zone() -> None:
    table, terms = [[1, -0.2], [-0.2, 1]], {"length_bonus": 0.3, "length_scale": "flat"}
    assert not audited(table, [0.5, 0.5], length_paid="exact", **terms).measured["costless"]["free_cells"]
    [warning] = found(audited(table, [0.5, 0.5], **terms), "costless", "warning")
    assert warning.numbers["free_cells"] == 2
    assert warning.numbers["never_exact_reward"] == pytest.approx(0.1)


def test_the_share_of_errors_that_are_free() -> None:
    policy = [[0.5, 0.4, 0.1, 0], [0.1, 0.8, 0.1, 0], [0.3, 0.1, 0.6, 0]]
    measured = audited(MIDDLE, [0.5, 0.25, 0.25], policy).measured["costless"]
    assert measured["share_of_warm_start_errors"] == pytest.approx((0.5 * 0.4 + 0.25 * 0.1) / (0.25 + 0.05 + 0.1))


# --- check 3: silence


@pytest.mark.parametrize(("wrong", "skill"), [(-1.0, 0.25), (-1.5, 0.4), (-2.0, 0.5), (-3.0, 0.625), (-0.5, 0.0)])
def test_the_skill_that_answering_needs(wrong: float, skill: float) -> None:
    """p* = (a - w) / (1 - w) with silence a = -0.5 and the wrong answer w."""
    measured = audited([[1, wrong], [wrong, 1]], [0.5, 0.5], no_parse=-0.5).measured["silence"]
    assert measured["answering_pays_above_skill"] == pytest.approx(skill)
    assert measured["by_gold"]["level 1"]["answering_pays_above_skill"] == pytest.approx(skill)


@pytest.mark.parametrize(("no_parse", "severity"), [(-1.5, None), (-1.0, None), (-0.5, "warning"), (0.0, "error")])
def test_silence_by_its_price(no_parse: float, severity: str | None) -> None:
    """Between two levels in even doubt an answer is worth 0: there silence is closest, by its own price."""
    result = audited([[1, -1], [-1, 1]], [0.5, 0.5], no_parse=no_parse)
    assert result.measured["silence"]["margin_of_silence"] == pytest.approx(no_parse)
    assert [finding.severity for finding in result.findings if finding.check == "silence"][:1] == [severity] * bool(
        severity
    )
    if severity == "error":
        assert result.measured["silence"]["closest_belief"] == pytest.approx({"level 1": 0.5, "level 2": 0.5})


def test_silence_that_is_best_only_without_bonuses_is_a_warning() -> None:
    result = audited([[1, -1], [-1, 1]], [0.5, 0.5], no_parse=0.1, format_bonus=0.2)
    assert not found(result, "silence", "error")
    assert "if no bonus is earned" in found(result, "silence", "warning")[0].message


# --- check 4: hedging

TWO = [[3.0, -1.0], [0.0, 1.0]]  # answering 1 pays 3b, answering 2 pays 1 - 2b: 1 is best from b = 1/5


@pytest.mark.parametrize(("urgent", "severity"), [("first", "note"), ("last", "warning"), ("neither", "warning")])
def test_a_shift_between_two_levels_is_safe_or_not_by_its_direction(urgent: str, severity: str) -> None:
    result = audited(TWO, [0.5, 0.5], 0.9, urgent=urgent)
    assert result.measured["hedging"]["shifted_pairs"]["all"] == pytest.approx(0.3)  # from b = 0.2 to 0.5
    assert [finding.severity for finding in result.findings if finding.check == "hedging"] == [severity]


def test_exchange_rates() -> None:
    rates = {
        urgent: audited(TWO, [0.5, 0.5], urgent=urgent).measured["hedging"]["exchange_rates"]
        for urgent in ("first", "last")
    }
    assert rates == {"first": {"level 1/level 2": 4.0}, "last": {"level 2/level 1": 0.25}}


def test_the_middle_between_two_extremes_is_a_warning() -> None:
    # between 1 and 3 the middle earns 0.5 and an extreme 2b - 1: the middle is best up to b = 3/4
    table = [[1, 0.5, -1], [-1, 1, -1], [-1, 0.5, 1]]
    result = audited(table, [0.1, 0.8, 0.1], 0.95)
    [warning] = found(result, "hedging", "warning")
    assert "level 2 between level 1 and level 3" in warning.message
    [region] = [
        row
        for row in warning.numbers["regions"]
        if row["levels"] == ["level 1", "level 3"] and row["most_probable"] == "level 3"
    ]
    assert region["probability"] == pytest.approx([0.5, 0.75])


def test_three_level_beliefs_are_measured_by_area() -> None:
    """With silence at 0.5 and +1 for exactness, silence is best where no level reaches 1/2: a quarter of them."""
    rewards = np.column_stack([np.eye(3), np.full(3, 0.5)])
    regions = misfits(rewards, 3)
    assert {region.act for region in regions} == {3}
    assert sum(region.share for region in regions) == pytest.approx(0.25)


def test_of_equal_acts_the_one_in_doubt_is_named() -> None:
    rewards = np.array(
        [[3.0, 3.0, -1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    )  # acts 1 and 2 pay the same between 1 and 3
    assert [region.act for region in misfits(rewards, 2) if region.levels == (0, 2)] == [0]


def test_equal_columns_are_ties_and_no_shift() -> None:
    assert misfits(np.zeros((3, 4)), 2) == []
    assert misfits(np.zeros((3, 4)), 3) == []


def test_the_warm_start_s_own_beliefs_follow_bayes() -> None:
    policy = [[0.8, 0.2, 0], [0.4, 0.6, 0]]
    held = {row["answer"]: row for row in audited(TWO, [0.5, 0.5], policy).measured["hedging"]["held"]}
    assert held["level 1"]["belief"]["level 1"] == pytest.approx(2 / 3)
    assert held["level 2"]["belief"]["level 1"] == pytest.approx(1 / 4)  # above 1/5: 1 is the best act
    assert (held["level 2"]["most_probable"], held["level 2"]["best_act"]) == ("level 2", "level 1")
    assert held["level 2"]["how_often"] == pytest.approx(0.4)


def test_a_shift_at_a_belief_that_is_held_is_a_warning() -> None:
    [warning] = found(audited(TWO, [0.5, 0.5], [[0.8, 0.2, 0], [0.4, 0.6, 0]]), "hedging", "warning")
    assert warning.numbers["held_share"] == pytest.approx(0.4)
    assert "level 1 where the warm start says level 2" in warning.message


# --- check 5: order and safety

ORDER = [
    ([[1, -1, -2], [-1, 1, -1], [-2, -1, 1]], {}),
    ([[1, -2, -1], [-1, 1, -1], [-2, -1, 1]], {"farther_pays_more": [["level 1", "level 3"]]}),
    ([[1, -1, -2], [-2, 1, -1], [-2, -1, 1]], {"under_triage_cheaper": [["level 2", "level 3"]]}),
    ([[1, 1, -2], [-1, 1, -1], [-2, -1, 1]], {"not_best": [["level 1", "level 2"]]}),
]


@pytest.mark.parametrize(("table", "wrong"), ORDER)
def test_order(table: Table, wrong: dict[str, list[list[str]]]) -> None:
    result = audited(table, [0.3, 0.3, 0.4], 0.95)
    keys = ("farther_pays_more", "under_triage_cheaper", "not_best")
    assert {key: result.measured["order"][key] for key in keys if result.measured["order"][key]} == wrong
    severities = {finding.severity for finding in result.findings if finding.check == "order"}
    assert severities == ({"warning"} if "not_best" in wrong else {"note"} if wrong else set())


def test_under_triage_depends_on_the_urgent_end() -> None:
    table = [[1, -1, -2], [-2, 1, -1], [-2, -1, 1]]
    assert not audited(table, [0.3, 0.3, 0.4], urgent="last").measured["order"]["under_triage_cheaper"]
    assert not audited(table, [0.3, 0.3, 0.4], urgent="neither").measured["order"]["under_triage_cheaper"]


@pytest.mark.parametrize(("bonus", "paid", "warned"), [(0.5, "parsed", 1), (0.4, "parsed", 0), (0.5, "exact", 0)])
def test_bonuses_that_outbid_exactness(bonus: float, paid: str, warned: int) -> None:
    result = audited([[0.25, -0.25], [-0.25, 0.25]], [0.5, 0.5], length_bonus=bonus, length_paid=paid)
    assert len(found(result, "order", "warning")) == warned


# --- check 6: what GRPO sees


def test_advantages_in_a_pair_of_answers() -> None:
    """Reward 1 or -1 with equal chance, groups of two: beside an equal fellow 0, beside the other 1 / sqrt(2)."""
    policy = [[0.5, 0.5, 0], [0.5, 0.5, 0]]
    measured = audited([[1, -1], [-1, 1]], [0.5, 0.5], policy, group=2).measured["groups"]
    exact = {scale: rows["level 1"]["level 1"] for scale, rows in measured["advantages"].items()}
    assert exact == pytest.approx({"group": 0.5 / (2**0.5 + 1e-4), "batch": 0.5 / 1.0001, "none": 0.5})
    assert measured["without_signal"] == pytest.approx(0.5)
    assert measured["reinforced_below_skill"]["level 1"] == pytest.approx({"level 2": 0, "no answer": 0})


def test_a_wrong_answer_among_worse_ones_is_reinforced() -> None:
    table = [[1, 0, -2], [-1, 1, -1], [-2, -1, 1]]
    policy = [[0, 0.5, 0.5, 0], [0.05, 0.9, 0.05, 0], [0.05, 0.05, 0.9, 0]]
    [warning] = found(audited(table, [0.3, 0.3, 0.4], policy), "groups", "warning")
    [row] = warning.numbers["wrong_reinforced"]
    assert (row["gold"], row["answer"]) == ("level 1", "level 2")
    # nobody is exact, the mean is -1: centred 1, less its own eighth
    assert row["none"] == pytest.approx(7 / 8)
    # errors of gold 1 as measured are worth -1 on average, so level 2 (0) is reinforced below half exactness
    below = audited(table, [0.3, 0.3, 0.4], policy).measured["groups"]["reinforced_below_skill"]
    assert below["level 1"]["level 2"] == pytest.approx(0.5)


def test_groups_without_signal_are_a_note() -> None:
    [note] = found(audited([[1, -1], [-1, 1]], [0.5, 0.5], 0.99), "groups", "note")
    assert note.numbers["without_signal"] == pytest.approx(0.99**8 + 0.01**8)


@pytest.mark.parametrize("group", [1, 0, -3])
def test_a_group_needs_two(group: int) -> None:
    with pytest.raises(InputError, match="group-size"):
        audited([[1, -1], [-1, 1]], [0.5, 0.5], group=group)


# --- check 7: bonuses without merit


ECHO = 0.3 * (1 - 11 / 300)  # EXTRACTION ALGORITHM ANSWER EXTRACTION: ALGORITHM: ANSWER: ESI 3 is 11 words and marks


@pytest.mark.parametrize(
    ("terms", "exact", "wrong", "said"),
    [
        ({}, 0.1 + ECHO, 0.1 + ECHO, "even with a wrong level"),
        ({"format_means": "strict"}, ECHO, ECHO, "even with a wrong level"),
        ({"format_paid": "exact", "length_paid": "exact"}, 0.1 + ECHO, 0.0, "where the level is right"),
    ],
)
def test_keyword_echo(terms: dict[str, str], exact: float, wrong: float, said: str) -> None:
    result = audit(load_design("v46").model_copy(update=terms), MIMIC)
    assert result.measured["bonuses"]["texts"]["keyword echo"] == pytest.approx({"exact": exact, "wrong": wrong})
    assert said in found(result, "bonuses", "note")[0].message


def test_silence_earns_a_bonus_that_is_always_paid() -> None:
    always = load_design("v46").model_copy(update={"length_paid": "always"})
    texts = audit(always, MIMIC).measured["bonuses"]["texts"]
    assert texts["nothing"] == pytest.approx({"exact": 0.3, "wrong": 0.3})
    assert texts["thinking only"]["wrong"] > 0
    assert audit(load_design("v46"), MIMIC).measured["bonuses"]["texts"]["nothing"]["exact"] == 0.0


def test_no_bonus_no_finding() -> None:
    assert not found(audit(load_design("v45c"), MIMIC), "bonuses", "note")


# --- check 8: drift


@pytest.mark.parametrize(("factor", "after"), [(1, 0.32), (8, 0.32), (20, 1.0)])
def test_oversampling_carried_to_natural_cases(factor: int, after: float) -> None:
    """Saying 2 leaves 0.04 to 0.64 for level 1 and 2: only ×20 turns that. Knowing nothing, ×8 does (1.6 to 0.8)."""
    result = audited([[1, -1], [-1, 1]], [0.2, 0.8], 0.8, oversample={1: factor})
    assert result.measured["drift"]["predicted_after"]["level 1"] == pytest.approx(after)
    warnings = found(result, "drift", "warning")
    assert len(warnings) == (factor > 1)
    if factor == 8:
        assert "level 1 where nothing is known (20 % probable" in warnings[0].message
    assert result.measured["drift"]["exchange_rates"] == {"level 1/level 2": pytest.approx(factor)}


# --- the whole


@pytest.mark.parametrize("name", design_names())
def test_findings_are_sorted_and_speak(name: str) -> None:
    result = audit(load_design(name), MIMIC)
    order = ["error", "warning", "note"]
    severities = [order.index(finding.severity) for finding in result.findings]
    assert severities == sorted(severities)
    for finding in result.findings:
        assert finding.message.endswith(".")
        assert finding.lesson
        assert finding.numbers
    assert [result.reaches(severity) for severity in ("error", "note")] == [result.verdict == "error", True]


def test_text_begins_with_the_verdict_and_holds_every_message() -> None:
    result = audit(load_design("v46"), MIMIC)
    text = as_text(result)
    assert text.startswith("v46: WARNING (0 errors, 4 warnings, 3 notes)\n")
    flat = " ".join(text.split())
    assert all(finding.message in flat and finding.lesson in flat for finding in result.findings)
    assert "65 % exact" in text
    assert max(map(len, text.splitlines())) <= 110


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match="2 shares"):
        audit(design([[1, -1], [-1, 1]]), np.full(3, 1 / 3))


def test_margin_of_a_game_with_a_known_value() -> None:
    """Matching pennies for 1 against silence at 0.25: the belief is even, the margin 0.25."""
    margin, belief = silence_margin(np.array([[1, -1, 0.25], [-1, 1, 0.25]]))
    assert margin == pytest.approx(0.25)
    assert belief == pytest.approx([0.5, 0.5])
