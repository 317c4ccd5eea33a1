"""Each notebook runs from the top, and prints what it was saved with. It needs no kernel: cells are plain Python."""

import contextlib
import io
import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_prints_what_it_was_saved_with(file):
    names = {"__name__": "__main__"}
    cells = [cell for cell in json.loads(file.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec("".join(cell["source"]), names)
        saved = "".join("".join(output["text"]) for output in cell["outputs"] if output.get("name") == "stdout")
        assert printed.getvalue() == saved, "run `make notebooks` and look at what has changed"
