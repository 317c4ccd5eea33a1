"""The main job: the model card's series from data to one report.

1. Data: the open corpus, or a case table. Its train split trains, its held-out split is the test: whole patients, in no
   experiment's training data. The tuning split is kept for choices that a person makes; nothing here reads it.
2. Each member in turn: train it (parents first), evaluate it on the same held-out cases.
3. One report: this run's table beside the card's, training curves, confusion matrices, what was seen and what was not.

With several training seeds it is a tournament: members x seeds, a queue that goes on after a kill, and one report more.
"""

from .model_card_series import in_order, reproduce_series
from .series_data import find_data, held_out_cases
from .tournament import hold_tournament

__all__ = ["find_data", "held_out_cases", "hold_tournament", "in_order", "reproduce_series"]
