"""The gate: limits that hold are silent, broken ones are one line each, and a limit that means nothing is an error."""

import pytest

from esi_triage.errors import InputError
from esi_triage.evaluate.gate import broken, read_gate

MEASURED = {
    "n": 36,
    "exact": {"value": 0.778, "low": 0.62, "high": 0.88, "n": 36},
    "esi1_sensitivity": {"value": None, "low": None, "high": None, "n": 0},
    "predicted_share": {"1": {"value": 0.2}},
    "model": "v46",
}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('[at_least]\n"exact.low" = 0.5\nn = 36\n[at_most]\n"exact.high" = 0.88', []),
        ('[at_least]\n"exact.low" = 0.7', ["exact.low = 0.62; it must be at least 0.7"]),
        ('[at_most]\n"predicted_share.1.value" = 0.1\nn = 30', ["predicted_share.1.value = 0.2;", "n = 36;"]),
        ('[at_most]\n"esi1_sensitivity.value" = 1', ["esi1_sensitivity.value is not defined on these cases"]),
    ],
)
def test_broken_limits_are_one_line_each(tmp_path, text, lines):
    file = tmp_path / "gate.toml"
    file.write_text(text)
    found = broken(read_gate(file), MEASURED, file)
    assert len(found) == len(lines)
    assert all(line.startswith(start) for line, start in zip(found, lines, strict=True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[at_least]\n"exakt.low" = 0.5', "there is no 'exakt'; known here: .*exact"),
        ('[at_least]\n"exact.lower" = 0.5', "there is no 'exact.lower'; known here: high, low, n, value"),
        ("[at_least]\nexact = 0.5", "exact is no number; add .value"),
        ("[at_least]\nmodel = 1", "model is no number"),
        ('[at_least]\n"exact.low.x" = 1', "nothing below it"),
        ("[at_least]\nexact.low = 0.5", "put a name with dots in quotes"),
        ('[at_least]\n"exact.low" = "high"', "a limit is a number"),
        ('[at_least]\n"exact.low" = true', "a limit is a number"),
        ('[minimum]\n"exact.low" = 0.5', "'minimum' is no table of limits"),
        ("", "it sets no limit"),
        ("[at_least", "not a TOML file"),
    ],
)
def test_a_limit_that_means_nothing_is_an_error(tmp_path, text, message):
    file = tmp_path / "gate.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        broken(read_gate(file), MEASURED, file)


def test_a_missing_gate_is_an_error(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_gate(tmp_path / "none.toml")
