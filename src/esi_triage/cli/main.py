"""The command `esi`."""

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..errors import InputError
from ..notice import NOTICE
from . import data, decide, doctor, explain, log, reward, score, serve, triage
from .evaluation import baseline, calibrate, card, compare, evaluate, models
from .output import quiet_option
from .training import export, plan, reproduce, train

COMMANDS: dict[str, Callable[..., Any] | typer.Typer] = {
    "triage": triage.triage,
    "explain": explain.explain,
    "serve": serve.serve,
    "score": score.score,
    "evaluate": evaluate.evaluate,
    "compare": compare.compare,
    "calibrate": calibrate.calibrate,
    "models": models.models,
    "reproduce": reproduce.reproduce,
    "data": data.app,
    "train": train.train,
    "reward": reward.app,
    "baseline": baseline.app,
    "card": card.card,
    "plan": plan.plan,
    "export": export.export,
    "base": export.base_app,
    "decide": decide.decide,
    "log": log.app,
    "doctor": doctor.doctor,
}


class _Commands(TyperGroup):
    """Builds a command when it is asked for: to build them all takes a tenth of the time of `esi --help`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name, in the order in which it is met."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command or group of commands of that name."""
        found = COMMANDS.get(cmd_name)
        return _built(cmd_name, found) if found else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Each name with the first sentence of its help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(found)) for name, found in COMMANDS.items()])


def _built(name: str, found: Callable[..., Any] | typer.Typer) -> Any:
    alone = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
        group = typer.main.get_group(alone).commands[name]
        for command in getattr(group, "commands", {}).values():
            command.params.append(quiet_option())
        return group
    alone.command(name, cls=score.ScoreCommand if name == "score" else None)(found)
    command = typer.main.get_command(alone)
    command.params.append(quiet_option())
    return command


def _first_sentence(found: Callable[..., Any] | typer.Typer) -> str:
    told = found.info.help if isinstance(found, typer.Typer) else found.__doc__
    return " ".join(str(told).split("\n\n")[0].split()).partition(". ")[0].removesuffix(".")


app = typer.Typer(
    name="esi",
    cls=_Commands,
    help=f"""Train, audit and evaluate language models that assign Emergency Severity Index levels.

    {NOTICE}

    Start with `esi reproduce`: the whole chain (data, SFT, GRPO, evaluation, report) on two cores, without
    credentials. Then `esi triage "..."` answers one narrative, and `esi COMMAND --help` explains each step.""",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version as version_of

        typer.echo(f"esi-triage {version_of('esi-triage')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Takes the options that stand before a command."""


def main() -> None:
    """Entry point: bad input ends with one sentence and exit code 2, an interrupt with 130."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a sign that the locale lacks is escaped, not fatal
            stream.reconfigure(errors="backslashreplace")
    command = typer.main.get_command(app)
    command.rich_markup_mode = None  # pyright: ignore[reportAttributeAccessIssue] # `esi --help` plain: rich is slow to load
    try:
        command(prog_name="esi")
        sys.stdout.flush()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as end:
        if end.code == 130:  # typer makes it of a KeyboardInterrupt
            print("\ninterrupted; what can be resumed goes on with the same command", file=sys.stderr)
        raise
    except BrokenPipeError:  # the reader of our output has seen enough, e.g. `| head`
        _close_stdout()
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:  # what no room has named: a disk that is full, a folder that may not be read
        where = f"{error.filename}: " if error.filename else ""
        fix = "Make room, or choose" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "Choose"
        print(f"error: {where}{error.strerror or error}. {fix} another file.", file=sys.stderr)
        _close_stdout()
        sys.exit(2)


def _close_stdout() -> None:
    """What is still to be printed goes nowhere: Python would try once more at its end."""
    with suppress(io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
