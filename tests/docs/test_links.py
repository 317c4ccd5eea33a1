"""Links and images of the documents lead somewhere in the repository, and what a document says of it is so."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")})
_LINK = re.compile(r"\]\(([^)\s]+)\)")
GENERATED = {"docs/reference/cli.md", "docs/reference/file-formats.md"}  # docs/hooks/generated_pages.py


def _anchors(file: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_link_leads_somewhere(file):
    prose = re.sub(r"^```.*?^```$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in _LINK.findall(re.sub(r"`[^`\n]*`", "", prose)):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        if target.is_relative_to(ROOT) and str(target.relative_to(ROOT)) in GENERATED:
            continue
        assert target.exists(), f"{file.name} links to {link}"
        assert not anchor or anchor in _anchors(target), f"{file.name} links to {link}: no such heading"


def test_a_picture_that_a_page_shows_is_there():
    for file in DOCUMENTS:
        for name in re.findall(r'<img [^>]*src="([^"]+)"', file.read_text(encoding="utf-8")):
            assert (file.parent / name).is_file(), f"{file.name} shows {name}"


def test_the_front_page_is_short_and_has_four_doors():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 90
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    doors = {page.stem for page in (ROOT / "docs" / "tutorials").glob("*.md")}
    assert {Path(link).stem for link in _LINK.findall(readme) if "tutorials/" in link} == doors
    assert {Path(link).stem for link in _LINK.findall(index) if "tutorials/" in link} == doors


def test_every_page_is_in_the_site_s_contents():
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert f": {page.relative_to(ROOT / 'docs')}\n" in contents, f"{page.name} is not in mkdocs.yml's nav"


def test_the_citation_has_the_package_s_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_a_notebook_is_kept_as_valid_json_with_its_outputs():
    for file in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        assert any(cell.get("outputs") for cell in cells), f"{file.name}: run `make notebooks`"
