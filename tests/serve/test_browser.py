"""The way of a nurse in Debian's chromium: with and without JavaScript, phone and desk, keyboard alone, axe."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import CHEST_PAIN, Served, serving

CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip("Debian's chromium is not installed (apt-get install chromium)", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api", reason="pip install 'esi-triage[browser]'")
axe_api = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install 'esi-triage[browser]'")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        started.contexts  # noqa: B018  fails here where the browser did not come up
        yield started
        started.close()


def checked(page: Any) -> None:
    """No finding of axe, nothing wider than the window."""
    found = axe_api.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize(("width", "scheme", "script"), [(360, "light", True), (1280, "dark", False)])
def test_the_way_of_a_nurse(served: Served, browser: Any, width: int, scheme: str, script: bool) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=True
    )
    if not script:
        context.route("**/page.js", lambda route: route.abort())  # axe itself needs a browser that runs scripts
    page = context.new_page()
    page.set_default_timeout(120_000)
    elsewhere: list[str] = []
    page.on(
        "request", lambda request: elsewhere.append(request.url) if not request.url.startswith(served.url) else None
    )
    page.goto(served.url)
    checked(page)
    page.get_by_label("Triage note").fill(CHEST_PAIN)
    page.get_by_label("Temperature").fill("36,8")
    page.get_by_label("ESI 3").check()
    if script:
        page.get_by_label("Triage note").press("Enter")
    else:
        page.get_by_label("Temperature").press("Enter")
    page.get_by_role("heading", name="Advice: ESI 2").wait_for()
    if script:
        assert page.evaluate("document.activeElement.id") == "result"
    checked(page)
    page.get_by_role("button", name="Agree: ESI 2").click()
    page.get_by_role("heading", name="Recorded: ESI 2").wait_for()
    checked(page)
    for path in ("/log", "/docs"):
        page.goto(f"{served.url}{path}")
        checked(page)
    assert not elsewhere
    context.close()


def test_without_any_script_and_by_keyboard_alone(served: Served, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 640, "height": 800})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(served.url)
    page.keyboard.insert_text(CHEST_PAIN)  # the note has the focus
    for _ in range(8):  # seven vital signs, then the own level
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Advice: ESI 2").wait_for()
    assert "Your own level was ESI 1" in page.content()
    context.close()
