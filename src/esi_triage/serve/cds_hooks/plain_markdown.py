"""Text of a note or of an EHR inside a card's `detail`: shown as it is, never as markup.

Clients render `detail` as GitHub-flavoured markdown, and some with raw HTML (the public sandbox does). So everything
that either language could read as markup becomes a numeric character reference, and addresses are broken by a word
joiner, which is invisible: the autolink extension makes links of decoded text too.
"""

import re

_MARKUP = re.compile(r"""[&<>"'`\\*_\[\]|~#]""")
_ADDRESS = re.compile(r"(?i)(?<=:)(?=/)|(?<=/)(?=/)|(?<=\bwww)(?=\.)|(?<=@)|(?<=\bmailto:)")
_JOINER = "\u2060"
LONGEST = 2000


def escaped(text: str) -> str:
    """`text` on one line, for the middle of a line of markdown; shortened after 2,000 characters, and says so."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if len(line) > LONGEST:
        line = f"{line[:LONGEST]} … (shortened)"
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", _ADDRESS.sub(_JOINER, line))
