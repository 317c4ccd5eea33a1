"""The tiny base: Qwen3.5's architecture with two million parameters, made from nothing; it ships in this room."""
