"""The command `esi`: one file a verb; it parses, calls and prints. No logic."""
