"""The pages for a person: triage and the log. They work without JavaScript and ask no other machine for anything."""
