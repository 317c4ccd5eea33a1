"""The smallest change to a reward table that removes what the audit finds, by linear programming.

Least is first the sum of the changes to what the trainer sees, then the largest of them. On either side of gold a
nearer answer keeps paying no less than a farther one. What a table cannot mend (bonuses that are earned without merit,
answers that are cut, class factors) is left, and so is the sign of an advantage under the group's own scaling, which is
not linear: the repaired design is audited again, and the result says what it still finds.
"""

from .linear_program import CellChange, Repair, repair
from .repair_text import design_as_toml, repair_as_json, repair_as_text, repair_as_toml

__all__ = ["CellChange", "Repair", "design_as_toml", "repair", "repair_as_json", "repair_as_text", "repair_as_toml"]
