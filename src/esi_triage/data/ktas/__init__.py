"""KTAS levels set by experts in two Korean departments (Moon 2019), to the case table."""
