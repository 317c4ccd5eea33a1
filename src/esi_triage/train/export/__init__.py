"""An experiment for other engines, and a base as a text-only folder."""
