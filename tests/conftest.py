"""What tests share: the open MIMIC-IV-ED demo where it is at hand, and a cache that no test spoils."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine is no defect: timings are not tests
settings.load_profile("untimed")

os.environ["HF_HUB_OFFLINE"] = "1"  # no test asks a hub; without this each one that names no base waits for one

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.fixture(scope="session")
def demo() -> Path:
    """The MIMIC-IV-ED demo v2.2, beside the checkout."""
    folder = SHARED / "data" / "mimic-iv-ed-demo-2.2"
    if not folder.is_dir():
        pytest.skip("the MIMIC-IV-ED demo is not beside this checkout (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def nhamcs() -> Path:
    """NHAMCS extracts of 2016-2020 and the official release of 2020, beside the checkout."""
    folder = SHARED / "data" / "nhamcs-ed"
    if not folder.is_dir():
        pytest.skip("the NHAMCS files are not beside this checkout (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def ktas() -> Path:
    """Hospital 1 of the KTAS table (Moon 2019), beside the checkout."""
    file = SHARED / "data" / "ktas-moon2019" / "hospital-1.csv"
    if not file.is_file():
        pytest.skip("the KTAS table is not beside this checkout (../shared/data)")
    return file
