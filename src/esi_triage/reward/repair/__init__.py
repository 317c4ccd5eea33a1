"""The smallest change to a reward table that removes what the audit finds, by linear programming.

Least is first the sum of the changes to the cells, then the largest of them. What a table cannot mend (bonuses that are
earned without merit, answers that are cut) is left, and so is the sign of an advantage under the group's own scaling,
which is not linear: the repaired design is audited again, and the result says what it still finds.
"""

from .repair import Change, Repair, repair
from .words import as_json, as_text, as_toml

__all__ = ["Change", "Repair", "as_json", "as_text", "as_toml", "repair"]
