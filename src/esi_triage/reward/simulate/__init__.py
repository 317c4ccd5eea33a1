"""A reward design at work on the smallest policy there is: tables of logits, trained by GRPO's update, in seconds.

It demonstrates what a design gives an incentive for. It is no evidence about a language model.

1. A gold level is drawn from the training distribution and read with error (`acuity_readings`).
2. The policy answers from its logits for that reading. It starts as a perfect imitator of labels (`learner`).
3. G rollouts a step, one prompt a step, as on the card. Advantage = reward less the group's mean, by its spread (TRL).
4. Logits move by rate × advantage × gradient of the log-probability: no Adam, no clipping, no KL (beta is 0).
"""

from .acuity_readings import blind_skill
from .learner import Regime
from .training_course import CAVEAT, SILENT, Course, View, collapsed, simulate

__all__ = ["CAVEAT", "SILENT", "Course", "Regime", "View", "blind_skill", "collapsed", "simulate"]
