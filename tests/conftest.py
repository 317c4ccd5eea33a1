"""What tests share: the open MIMIC-IV-ED demo where it is at hand, and a cache that no test spoils."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.fixture(scope="session")
def demo() -> Path:
    """The MIMIC-IV-ED demo v2.2, beside the checkout."""
    folder = SHARED / "data" / "mimic-iv-ed-demo-2.2"
    if not folder.is_dir():
        pytest.skip("the MIMIC-IV-ED demo is not beside this checkout (../shared/data)")
    return folder
