"""Reference pages made when the site is built: the command line from its own help, file formats from the code."""

from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pydantic import BaseModel

from esi_triage.cli.main import app
from esi_triage.esi import Case
from esi_triage.predict.predictions_file import predictions_model
from esi_triage.reward import Design
from esi_triage.train.experiment import Experiment


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by MkDocs: adds the pages."""
    for name, text in (("cli", cli_page()), ("file-formats", formats_page())):
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def cli_page() -> str:
    """Every command with its help."""
    head = "# Command line\n\nWhat `--help` prints. [Exit codes](exit-codes.md) are the same for every command.\n"
    return head + "".join(
        f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in _helps(typer.main.get_command(app), "esi")
    )


def _helps(command: Any, name: str) -> list[tuple[str, str]]:
    command.rich_markup_mode = None
    context = command.context_class(command, info_name=name, terminal_width=100, max_content_width=100)
    found = [(name, command.get_help(context))]
    for verb in command.list_commands(context) if hasattr(command, "list_commands") else ():
        found += _helps(command.get_command(context, verb), f"{name} {verb}")
    return found


def formats_page() -> str:
    """The fields of each file that people read and write."""
    parts = [
        "# File formats\n\nMade from the code: a field that is not here is an error, and is named.",
        "## Case table (.parquet, .jsonl)",
        _paragraph(Case),
        _fields(Case),
        "## Predictions (.jsonl, .parquet, .csv)",
        _first_paragraphs(predictions_model.__doc__, 2),
        "## Reward design (.toml)",
        _paragraph(Design),
        _fields(Design),
        "## Experiment (.toml)",
        _paragraph(Experiment),
        _fields(Experiment),
    ]
    for name, schema in Experiment.model_json_schema().get("$defs", {}).items():
        parts += [f"### {name}", _rows(schema, schema.get("$defs", {}))]
    parts.append("Findings from another program: `esi decide --schema` prints the JSON schema.")
    return "\n\n".join(parts) + "\n"


def _paragraph(model: type[BaseModel]) -> str:
    return _first_paragraphs(model.__doc__, 9)


def _first_paragraphs(text: str | None, n: int) -> str:
    found = "\n".join(line.strip() for line in (text or "").strip().splitlines()).split("\n\n")
    return "\n\n".join(found[:n])


def _fields(model: type[BaseModel]) -> str:
    schema = model.model_json_schema()
    return _rows(schema, schema.get("$defs", {}))


def _rows(schema: dict[str, Any], known: dict[str, Any]) -> str:
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for name, field in schema.get("properties", {}).items():
        needed = "" if name in schema.get("required", []) else " (optional)"
        rows.append(f"| `{name}` | {_type(field)}{needed} | {field.get('description', '')} |")
    return "\n".join(rows)


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(each) for each in field["anyOf"]))
    if "$ref" in field:
        return f"table {field['$ref'].rsplit('/', 1)[-1]}"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    found = field.get("type", "any")
    least, most = field.get("minimum"), field.get("maximum")
    return f"{found} {least} to {most}" if least is not None and most is not None else found
