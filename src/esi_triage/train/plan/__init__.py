"""What a training will need: memory and time of a step, as arithmetic with every assumption named."""
