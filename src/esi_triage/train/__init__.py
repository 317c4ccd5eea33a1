"""SFT and GRPO on TRL: bases, experiments, runs. Importing a module of this room loads torch; `experiment` does not."""
