"""The command `esi`."""

import os
import signal
import sys

import typer

from ..errors import InputError
from ..notice import NOTICE
from . import baseline, card, compare, data, doctor, evaluate, explain, reproduce, reward, score, train, triage

app = typer.Typer(
    name="esi",
    help=f"""Train, audit and evaluate language models that assign Emergency Severity Index levels.

    {NOTICE}

    Start with `esi reproduce`: the whole chain (data, SFT, GRPO, evaluation, report) on two cores, without
    credentials. Then `esi triage "..."` answers one narrative, and `esi COMMAND --help` explains each step.""",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("reproduce")(reproduce.reproduce)
app.command("triage")(triage.triage)
app.command("explain")(explain.explain)
app.command("score")(score.score)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("train")(train.train)
app.command("card")(card.card)
app.add_typer(data.app, name="data")
app.add_typer(baseline.app, name="baseline")
app.add_typer(reward.app, name="reward")
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Entry point: bad input ends with one sentence and exit code 2, an interrupt with 130."""
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\ninterrupted: the same command goes on from where it was", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output has seen enough, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)


if __name__ == "__main__":
    main()
