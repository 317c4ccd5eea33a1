"""The picture of a report in README: the top of report.html in a folder of `esi evaluate`, as a browser shows it.

esi data build ktas --input hospital-1.csv -o ktas.parquet
esi evaluate --model rules --cases ktas.parquet -o ktas-rules
python docs/hooks/report_picture.py ktas-rules        # writes docs/images/report.png; needs esi-triage[browser]
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PICTURE = Path(__file__).parents[1] / "images" / "report.png"


def picture(page: Path) -> None:
    """Write the picture: 1120 pixels wide, down to the end of the summary."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1120, "height": 800}, color_scheme="light")
        shown.goto(page.resolve().as_uri())
        end = shown.get_by_role("heading", name="A. Overall accuracy").bounding_box()
        height = end["y"] - 12 if end else 800
        shown.screenshot(path=PICTURE, full_page=True, clip={"x": 0, "y": 0, "width": 1120, "height": height})
        browser.close()


if __name__ == "__main__":
    picture(Path(sys.argv[1]) / "report.html")
