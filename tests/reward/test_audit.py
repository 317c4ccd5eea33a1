"""The audit: the card's designs as they deserve, and each check on an example that can be worked out by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from esi_triage.cli.reward.audit_text import audit_as_text
from esi_triage.errors import InputError
from esi_triage.reward import Audit, AuditFinding, Design, audit, design_names, load_design
from esi_triage.reward.audit.beliefs import abstention_margin, misfits
from esi_triage.reward.audit.setting import Scale
from esi_triage.reward.policy import cut_off, read_prior, warm_start

Table = Sequence[Sequence[float]]
MIMIC = read_prior("mimic-iv-ed", 5)


def design(table: Table, no_parse: float = -9.0, **more: Any) -> Design:
    return Design.model_validate({"name": "example", "table": table, "no_parse": no_parse, **more})


def audited(
    table: Table, prior: list[float], policy: Any = 0.8, group: int = 8, scale: Scale = "none", **more: Any
) -> Audit:
    """Without scaling, so that every figure is in units of reward and can be worked out by hand."""
    shares = np.array(prior)
    start = warm_start(shares, policy) if isinstance(policy, float) else np.array(policy)
    return audit(design(table, **more), shares, start, group, scale)


def found(result: Audit, check: str, severity: str) -> list[AuditFinding]:
    return [finding for finding in result.findings if (finding.check, finding.severity) == (check, severity)]


# --- the card's designs


def test_v45c_is_an_error_because_of_its_class_factor() -> None:
    result = audit(load_design("v45c"), MIMIC)
    assert result.verdict == "error"
    [error] = [finding for finding in result.findings if finding.severity == "error"]
    assert error.check == "collapse"
    assert "GRPO gives ESI-1 to" in error.message
    assert "The class factors are the cause" in error.message
    assert error.numbers["shares_after"]["ESI-1"] > 3 * MIMIC[0] > error.numbers["shares_after_unsampled"]["ESI-1"]
    # 25,363 of 441,437 patients are ESI-1: twenty times as many are 54.97 % in training
    assert result.measured["drift"]["training"]["ESI-1"] == pytest.approx(20 * 25363 / (441437 + 19 * 25363))
    assert result.measured["lazy"]["best_lazy"] == "ESI-1"
    assert "from ESI-3 to ESI-1" in found(result, "lazy", "note")[0].message
    drawn_as_they_occur = load_design("v45c").model_copy(update={"oversample": dict.fromkeys(range(1, 6), 1.0)})
    assert audit(drawn_as_they_occur, MIMIC).verdict == "clean"


@pytest.mark.parametrize("name", ["v46", "v47", "v48"])
def test_v46_and_its_kin_warn_of_the_pull_to_esi_2_that_their_sampling_makes(name: str) -> None:
    result = audit(load_design(name), MIMIC)
    assert result.verdict == "warning"
    [pull] = found(result, "drift", "warning")
    assert "ESI-2 where nothing is known" in pull.message
    assert pull.numbers["predicted_after"]["ESI-2"] > pull.numbers["natural"]["ESI-2"]


def test_without_the_group_s_scaling_v46_s_rows_count_and_the_pull_is_twice_as_strong() -> None:
    rates = [
        audit(load_design("v46"), MIMIC, scale=scale).measured["drift"]["exchange_rates"]["ESI-2/ESI-3"]
        for scale in ("none", "group")
    ]
    assert rates[0] == pytest.approx(6)  # a miss costs 2, a false alarm 1, and ESI-2 is drawn three times as often
    assert rates[1] == pytest.approx(3.1, abs=0.05)


def test_v48_the_verdict_on_the_card_s_explanation_is_that_the_table_does_not_bear_it() -> None:
    [note] = found(audit(load_design("v48"), MIMIC), "silence", "note")
    assert ["ESI-1", "ESI-4"] in note.numbers["outranked_without_bonuses"]  # -0.7 is below -0.5, as the card says
    assert note.numbers["outranked"] == []  # but -0.7 + 0.25 is not, once bonuses are paid
    assert "best action for no belief" in note.message
    assert "no reason to opt out" in note.message


@pytest.mark.parametrize(("name", "margin"), [("v45c", -0.2), ("v46", -0.214), ("v47", -0.214), ("v48", -0.4)])
def test_abstention_is_the_best_action_for_no_belief_under_any_shipped_table(name: str, margin: float) -> None:
    measured = audit(load_design(name), MIMIC, scale="none").measured["silence"]
    assert measured["margin_of_silence_without_bonuses"] == pytest.approx(margin, abs=0.0005)
    assert measured["margin_of_silence"] <= measured["margin_of_silence_without_bonuses"] + 1e-9


def test_the_card_s_lesson_about_abstention_is_broken_by_v46_too() -> None:
    [note] = found(audit(load_design("v46"), MIMIC), "silence", "note")
    assert len(note.numbers["outranked_without_bonuses"]) == 7  # -1, -1.5 and -2 are below -0.5
    assert note.numbers["above_mean_wrong_at"] == ["ESI-1"]
    assert note.numbers["above_warm_start_at"] == []


def test_cut_answers_starve_groups_of_signal_and_do_not_make_abstention_pay() -> None:
    """v48 with nine answers of ten cut at the token limit: the card's other suspect."""
    result = audit(load_design("v48"), MIMIC, cut_off(warm_start(MIMIC), 0.9))
    measured = result.measured["groups"]
    assert measured["without_signal"] == pytest.approx(0.9**8, abs=1e-4)
    gains = measured["advantages"]
    assert all(row["no answer"] < min(row[f"ESI-{level}"] for level in range(1, 6)) for row in gains.values())


def test_a_table_without_incentives_is_clean() -> None:
    assert audited([[1, -1], [-1, 1]], [0.5, 0.5]).verdict == "clean"


# --- check 1: constant policies


def test_constant_policies_before_and_after_oversampling() -> None:
    """Less the exact answer: a wrong one costs 2."""
    result = audited([[1, -1], [-1, 1]], [0.25, 0.75], oversample={1: 3})  # training is half and half
    measured = result.measured["lazy"]
    assert measured["natural"] == pytest.approx(
        {"level 1": -1.5, "level 2": -0.5, "no answer": -10, "warm start": -0.4}
    )
    assert measured["training"] == pytest.approx({"level 1": -1, "level 2": -1, "no answer": -10, "warm start": -0.4})
    assert measured["warm_start_wins_above_skill"] == pytest.approx(0.5)
    assert not found(result, "lazy", "warning")


@pytest.mark.parametrize(("skill", "warnings"), [(0.7, 1), (0.75, 1), (0.8, 0)])
def test_a_warm_start_no_better_than_a_constant_is_a_warning(skill: float, warnings: int) -> None:
    result = audited([[1, -1], [-1, 1]], [0.25, 0.75], skill)  # always 2 is wrong in a quarter
    assert len(found(result, "lazy", "warning")) == warnings


def test_abstention_can_be_the_best_constant_policy() -> None:
    [warning] = found(audited([[1, -1], [-1, 1]], [0.5, 0.5], no_parse=0.7), "lazy", "warning")
    assert warning.numbers["best_lazy"] == "no answer"
    assert "Abstaining from all" in warning.message


def test_bonuses_that_are_paid_to_every_answer_cancel_and_those_for_exact_ones_do_not() -> None:
    bonus = {"length_bonus": 0.4, "length_scale": "flat"}
    for paid, cost in (("parsed", 2.0), ("exact", 2.4)):  # level 1 is wrong in three quarters of the cases
        lazy = audited([[1, -1], [-1, 1]], [0.25, 0.75], length_paid=paid, **bonus).measured["lazy"]
        assert lazy["natural"]["level 1"] == pytest.approx(-0.75 * cost)


# --- check 2: where training goes


def test_what_is_best_for_nobody_takes_over_nowhere_and_what_is_best_for_all_takes_over() -> None:
    fair = audited([[1, -1], [-1, 1]], [0.5, 0.5], scale="group").measured["collapse"]
    assert fair["taken_over_by"] == ""
    assert fair["exact_after"] > fair["exact_before"]
    middle = [[1, 3, 0], [0, 3, 0], [0, 3, 1]]  # level 2 pays most whatever the case
    result = audited(middle, [0.3, 0.4, 0.3], scale="group")
    [error] = found(result, "collapse", "error")
    assert "gives level 2 to" in error.message
    assert "The table is the cause" in error.message


def test_silence_that_pays_more_than_any_answer_takes_over() -> None:
    result = audited([[1, -1], [-1, 1]], [0.5, 0.5], no_parse=2.0)
    [error] = found(result, "silence", "error")
    assert "without an answer" in error.message
    assert result.measured["collapse"]["taken_over_by"] == "no answer"


def test_exactness_that_training_costs_is_a_warning() -> None:
    """Level 2 pays a little more than exactness where level 1 is true: no level takes over, and level 1 is missed."""
    result = audited([[1, 1.2, 0], [0, 1, 0], [0, 0, 1]], [0.2, 0.5, 0.3], scale="group")
    [warning] = found(result, "collapse", "warning")
    assert "less exact" in warning.message


HARMLESS = {
    "exact match": lambda distance, n: float(distance == 0),
    "near credit": lambda distance, n: {0: 1.0, 1: 0.5}.get(distance, 0.0),
    "quadratic kappa": lambda distance, n: 1 - (distance / (n - 1)) ** 2,
}


@pytest.mark.parametrize("n", [5, 7, 10])
@pytest.mark.parametrize("reward", HARMLESS)
def test_common_harmless_rewards_are_no_error(reward: str, n: int) -> None:
    table = [[HARMLESS[reward](abs(g - a), n) for a in range(n)] for g in range(n)]
    result = audit(design(table, 0.0), np.full(n, 1 / n), group_size=4)
    assert not result.reaches("error")
    if reward != "quadratic kappa":  # it does pay the middle in a doubt between extremes
        assert not result.reaches("warning")


# --- check 3: abstention


@pytest.mark.parametrize(("wrong", "skill"), [(-1.0, 0.25), (-1.5, 0.4), (-2.0, 0.5), (-3.0, 0.625), (-0.5, 0.0)])
def test_the_skill_that_answering_needs(wrong: float, skill: float) -> None:
    """p* = (a - w) / (1 - w) with abstention a = -0.5 and the wrong answer w."""
    measured = audited([[1, wrong], [wrong, 1]], [0.5, 0.5], no_parse=-0.5).measured["silence"]
    assert measured["answering_pays_above_skill"] == pytest.approx(skill)
    assert measured["by_gold"]["level 1"]["answering_pays_above_skill"] == pytest.approx(skill)


@pytest.mark.parametrize(("no_parse", "severity"), [(-1.5, None), (-1.0, None), (-0.5, "note"), (0.0, "warning")])
def test_abstention_by_its_price(no_parse: float, severity: str | None) -> None:
    """Between two levels in even doubt an answer is worth 0: there abstention is closest, by its own price."""
    result = audited([[1, -1], [-1, 1]], [0.5, 0.5], no_parse=no_parse)
    assert result.measured["silence"]["margin_of_silence"] == pytest.approx(no_parse)
    assert [finding.severity for finding in result.findings if finding.check == "silence"][:1] == [severity] * bool(
        severity
    )
    if severity == "warning":
        assert result.measured["silence"]["closest_belief"] == pytest.approx({"level 1": 0.5, "level 2": 0.5})


def test_abstention_that_is_best_only_without_bonuses_is_a_note() -> None:
    result = audited([[1, -1], [-1, 1]], [0.5, 0.5], no_parse=0.1, format_bonus=0.2)
    assert not found(result, "silence", "warning")
    assert "if no bonus is earned" in found(result, "silence", "note")[0].message


# --- check 4: hedging

TWO = [[3.0, -1.0], [0.0, 1.0]]  # answering 1 pays 3b, answering 2 pays 1 - 2b: 1 is best from b = 1/5


@pytest.mark.parametrize(("urgent", "severity"), [("first", "note"), ("last", "warning"), ("neither", "warning")])
def test_a_shift_between_two_levels_is_safe_or_not_by_its_direction(urgent: str, severity: str) -> None:
    result = audited(TWO, [0.5, 0.5], 0.9, urgent=urgent)
    assert result.measured["hedging"]["shifted_pairs"]["all"] == pytest.approx(0.3)  # from b = 0.2 to 0.5
    assert [finding.severity for finding in result.findings if finding.check == "hedging"] == [severity]


def test_under_the_group_s_scaling_a_row_counts_in_units_that_move_and_such_a_shift_is_a_note() -> None:
    result = audited(TWO, [0.5, 0.5], 0.9, scale="group", urgent="last")
    assert [finding.severity for finding in result.findings if finding.check == "hedging"] in ([], ["note"])


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
    [warning] = [one for one in found(result, "hedging", "warning") if "neither of them" in one.message]
    assert "level 2 between level 1 and level 3" in warning.message
    [region] = [
        row
        for row in warning.numbers["regions"]
        if row["levels"] == ["level 1", "level 3"] and row["most_probable"] == "level 3"
    ]
    assert region["probability"] == pytest.approx([0.5, 0.75])


def test_of_equal_actions_the_one_in_doubt_is_named() -> None:
    rewards = np.array(
        [[3.0, 3.0, -1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    )  # actions 1 and 2 pay the same between 1 and 3
    assert [region.action for region in misfits(rewards) if region.levels == (0, 2)] == [0]


def test_equal_columns_are_ties_and_no_shift() -> None:
    assert misfits(np.zeros((3, 4))) == []


def test_the_warm_start_s_own_beliefs_follow_bayes() -> None:
    policy = [[0.8, 0.2, 0], [0.4, 0.6, 0]]
    held = {row["answer"]: row for row in audited(TWO, [0.5, 0.5], policy).measured["hedging"]["held"]}
    assert held["level 1"]["belief"]["level 1"] == pytest.approx(2 / 3)
    assert held["level 2"]["belief"]["level 1"] == pytest.approx(1 / 4)  # above 1/5: 1 is the best action
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
    exact = {}
    for scale in ("group", "none"):
        measured = audited([[1, -1], [-1, 1]], [0.5, 0.5], policy, group=2, scale=scale).measured["groups"]
        exact[scale] = measured["advantages"]["level 1"]["level 1"]
    # in units of the row's spread, which is 1 here
    assert exact == pytest.approx({"group": 0.5 / (2**0.5 + 1e-4), "none": 0.5})
    assert measured["wrong_positive"] == {"level 1": 0.0, "level 2": 0.0}
    assert measured["without_signal"] == pytest.approx(0.5)
    assert measured["reinforced_below_skill"]["level 1"] == pytest.approx({"level 2": 0, "no answer": 0})


def test_a_wrong_answer_among_worse_ones_is_reinforced() -> None:
    table = [[1, 0, -2], [-1, 1, -1], [-2, -1, 1]]
    policy = [[0, 0.5, 0.5, 0], [0.05, 0.9, 0.05, 0], [0.05, 0.05, 0.9, 0]]
    [warning] = found(audited(table, [0.3, 0.3, 0.4], policy), "groups", "warning")
    [row] = warning.numbers["wrong_reinforced"]
    assert (row["gold"], row["answer"]) == ("level 1", "level 2")
    # nobody is exact, the mean is -1: centred 1, less its own eighth
    assert row["advantage"] == pytest.approx(7 / 8)
    # level 2 is one of its group's better answers unless all eight say level 2; level 3 never is
    positive = audited(table, [0.3, 0.3, 0.4], policy).measured["groups"]["wrong_positive"]
    assert positive["level 1"] == pytest.approx(0.5 * (1 - 0.5**7))
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


def test_abstention_earns_a_bonus_that_is_always_paid() -> None:
    always = load_design("v46").model_copy(update={"length_paid": "always"})
    texts = audit(always, MIMIC).measured["bonuses"]["texts"]
    assert texts["nothing"] == pytest.approx({"exact": 0.3, "wrong": 0.3})
    assert texts["thinking only"]["wrong"] > 0
    assert audit(load_design("v46"), MIMIC).measured["bonuses"]["texts"]["nothing"]["exact"] == 0.0


def test_no_bonus_no_finding() -> None:
    assert not found(audit(load_design("v45c"), MIMIC), "bonuses", "note")


# --- check 8: prior shift


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
    text = audit_as_text(result)
    assert text.startswith("v46: WARNING (0 errors, 1 warning, 6 notes)\n")
    flat = " ".join(text.split())
    assert all(finding.message in flat and finding.lesson in flat for finding in result.findings)
    assert "65 % exact" in text
    assert max(map(len, text.splitlines())) <= 105


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match="2 shares"):
        audit(design([[1, -1], [-1, 1]]), np.full(3, 1 / 3))


def test_margin_of_a_game_with_a_known_value() -> None:
    """Matching pennies for 1 against abstention at 0.25: the belief is even, the margin 0.25."""
    margin, belief = abstention_margin(np.array([[1, -1, 0.25], [-1, 1, 0.25]]))
    assert margin == pytest.approx(0.25)
    assert belief == pytest.approx([0.5, 0.5])
