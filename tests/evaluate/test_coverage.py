"""95 % intervals hold the truth about 95 times in a hundred: a small run of benchmarks/coverage.py."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "coverage.py"


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    spec = importlib.util.spec_from_file_location("coverage_benchmark", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


# 300 simulated sets: a true 95 % lies between 91 and 99 % with certainty enough for a test (3 standard errors)
@pytest.mark.parametrize(("n", "visits"), [(36, 1), (200, 1), (200, 3)])
def test_headline_intervals_cover(simulation: ModuleType, n: int, visits: int) -> None:
    found = simulation.coverage(simulation.POPULATIONS["expert"], n, 300, visits, resamples=500)
    for name in ("exact", "high_acuity_sensitivity", "qwk", "ac2", "macro_f1"):
        assert 0.91 <= found[name]["held"] / 300 <= 0.997, (name, found[name])


def test_differences_cover(simulation: ModuleType) -> None:
    found = simulation.coverage_of_difference(simulation.POPULATIONS["expert"], 200, 200, resamples=500)
    for name in ("difference in exact", "difference in qwk"):
        assert found[name]["held"] / 200 >= 0.91, (name, found[name])
