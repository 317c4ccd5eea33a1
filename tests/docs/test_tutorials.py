"""Each tutorial followed word by word works, and prints what its page shows."""

import pytest
from tutorial_pages import PAGES, WrittenFile, fits, printed, steps, stop


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_a_tutorial_does_what_it_shows(file, tmp_path):
    found = list(steps(file.read_text(encoding="utf-8")))
    assert found, "a tutorial without a command"
    try:
        for step in found:
            if isinstance(step, WrittenFile):
                (tmp_path / step.name).write_text(step.text, encoding="utf-8")
                continue
            output = printed(step.command, tmp_path)
            assert fits(step.shown, output), f"$ {step.command}\n{output}\nthe page shows:\n{step.shown}"
    finally:
        stop(tmp_path)


@pytest.mark.parametrize(
    ("shown", "output", "fitting"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n…\nc\n", "a\nb\nb\nc\n", True),
        ("a\n…\n", "a\n", True),
        ("…\nb\n", "a\n", False),
        ("a.\n", "ab\n", False),
        ("", "a\n", False),
    ],
)
def test_an_ellipsis_stands_for_any_lines(shown, output, fitting):
    assert fits(shown, output) == fitting


def test_a_page_is_read_as_its_reader_does():
    page = """
```toml title="mine.toml"
a = 1
```
```console
$ esi one \\
    --two
said
$ esi three
```
```console title="not run by the tests: trains for minutes"
$ esi train v46
```
"""
    assert list(steps(page)) == [("mine.toml", "a = 1\n"), ("esi one \\\n    --two", "said\n"), ("esi three", "")]
