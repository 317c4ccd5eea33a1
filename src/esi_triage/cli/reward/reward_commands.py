"""`esi reward`: look at a reward design, audit it, and score answers with it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...errors import InputError
from ...reading import ANSWER, file_text, standard_input
from .compare import compare_designs
from .options import (
    Cut,
    DesignName,
    GroupSize,
    Output,
    Prior,
    Scale,
    Severe,
    TextJsonOrHtml,
    TextOrJson,
    deliver,
    json_text,
    page_file,
)
from .recommend import recommend_design
from .repair import repair_design
from .simulate import simulate_designs

if TYPE_CHECKING:
    from ...reward import Design

app = typer.Typer(
    help="Show, audit, compare, repair and simulate reward designs, and score answers with them.", no_args_is_help=True
)

Confusion = Annotated[
    Path | None,
    typer.Option(help="the warm start's confusion: a JSON file of counts, or an evaluated run's folder"),
]
Skill = Annotated[
    float | None, typer.Option(help="share of exact answers of an assumed warm start; default 0.65, the card's v43")
]
Text = Annotated[str, typer.Option(help="file with the model's answer, or - for standard input")]
Tokens = Annotated[
    int | None, typer.Option(help="length in the model's tokens; default: words and punctuation marks", min=0)
]


@app.command("show")
def show_design(design: DesignName, form: TextOrJson = "text") -> None:
    """Print a design: its table, the reward without an answer, and the bonuses with their terms.

    Example: esi reward show v46 --format json
    """
    from ...reward import load_design

    loaded = load_design(design)
    deliver(_design_text(loaded) if form == "text" else json_text(loaded.model_dump()))


def _design_text(design: "Design") -> str:
    labels = [design.label(level) for level in design.levels]
    width = max(7, *(len(label) + 2 for label in labels))
    rows = [f"{'gold / predicted':18}" + "".join(f"{label:>{width}}" for label in labels)]
    for label, row in zip(labels, design.table, strict=True):
        rows.append(f"  {label:16}" + "".join(f"{cell:+{width}.2f}" for cell in row))
    drawn = [f"{design.label(level)} ×{factor:g}" for level, factor in design.oversample.items() if factor != 1]
    length = f"up to {design.length_limit} tokens, {design.length_scale}, paid: {design.length_paid}"
    steps = f"  steps bonus   {design.steps_bonus:+.1f}  for {design.steps_means} steps, paid: {design.steps_paid}"
    terms = [
        f"  no answer     {design.no_parse:+.1f}",
        f"  format bonus  {design.format_bonus:+.1f}  for {design.format_means}, paid: {design.format_paid}",
        f"  length bonus  {design.length_bonus:+.1f}  {length}",
        *([steps] if design.steps_bonus else []),
        f"  oversampling  {', '.join(drawn) or 'none'}",
    ]
    return "\n".join([f"{design.name}: {design.about}", "", *rows, "", *terms])


@app.command("audit")
def audit_design(
    design: DesignName,
    prior: Prior = None,
    confusion: Confusion = None,
    skill: Skill = None,
    cut: Cut = 0.0,
    group_size: GroupSize = 8,
    scale: Scale = "group",
    fail_on: Annotated[Severe, typer.Option(help="exit with 1 from this severity on")] = "error",
    form: TextJsonOrHtml = "text",
    output: Output = None,
) -> None:
    """Find out how a design can be gamed before it is trained: exact arithmetic on its table, no sampling.

    error: GRPO's mean update, followed from the warm start, ends in one level or in no answer. warning: an incentive
    that longer training can mine. note: the rest. Exit code 1 when a finding reaches --fail-on, 2 for bad input.

    Example: esi reward audit v45c --fail-on warning
    """
    from ...reward import audit, load_design
    from ...reward.policy import SKILL, cut_off, default_prior, read_confusion, read_prior, warm_start
    from .audit_text import audit_as_text

    page = page_file(form, output, design, confusion)
    if confusion is not None and skill is not None:
        raise InputError("--skill and --confusion: give one, the assumed warm start's skill or the measured confusion.")
    loaded = load_design(design)
    n = len(loaded.table)
    shares = read_prior(prior or default_prior(n), n)
    policy = read_confusion(confusion, n) if confusion else warm_start(shares, SKILL if skill is None else skill)
    found = audit(loaded, shares, cut_off(policy, cut), group_size, scale)
    if page is not None:
        from ...reward.comparison import write_html

        write_html([found], page)
    else:
        deliver(audit_as_text(found) if form == "text" else json_text(found.to_dict()), output)
    if found.reaches(fail_on):
        raise typer.Exit(1)


@app.command("score")
def score_text(
    design: DesignName,
    gold: Annotated[int, typer.Option(help="the gold level, 1 to as many as the design has")],
    text: Text = "-",
    tokens: Tokens = None,
    note: Annotated[Path | None, typer.Option(help="file with the note: a design that pays for steps needs it")] = None,
    probabilities: Annotated[
        str | None, typer.Option(help="p1,...,p5 where the answer was drawn: a design that scores them needs it")
    ] = None,
) -> None:
    """Score one answer: its level, whether the format is strict, and each part of the reward, as JSON.

    Example: echo "ANSWER: ESI 2" | esi reward score v46 --gold 2
    """
    from ...answer import parse
    from ...reward import approximate_tokens, load_design, score
    from ...reward.trl import reader

    loaded = load_design(design)
    reader(loaded.name, len(loaded.table), None)
    if gold not in loaded.levels:
        raise InputError(f"--gold {gold}: a gold level of {loaded.name} is 1 to {len(loaded.table)}.")
    completion = standard_input(ANSWER) if text == "-" else file_text(Path(text), ANSWER)
    if loaded.steps_bonus and note is None:
        raise InputError(f"{loaded.name} pays for steps, which are checked against the note: give --note FILE.")
    if loaded.scores_probabilities and probabilities is None:
        raise InputError(f"{loaded.name} scores the probabilities of the levels: give --probabilities p1,p2,p3,p4,p5.")
    narrative = None if note is None else file_text(note, ANSWER)
    shares = None if probabilities is None else _shares(probabilities, len(loaded.table))
    answer = parse(completion)
    parts = score(answer, gold, loaded, approximate_tokens(completion) if tokens is None else tokens, narrative, shares)
    paid = {name: value for name, value in parts._asdict().items() if name != "steps" or loaded.steps_bonus}
    typer.echo(json.dumps({"level": answer.level, "strict": answer.strict, **paid, "total": parts.total}))


def _shares(text: str, n: int) -> list[float]:
    try:
        shares = [float(share) for share in text.split(",")]
    except ValueError:
        shares = []
    if len(shares) != n or not all(0 <= share <= 1 for share in shares) or abs(sum(shares) - 1) > 1e-3:
        raise InputError(f"--probabilities {text}: give {n} numbers from 0 to 1, joined by commas, that sum to 1.")
    return shares


@app.command("new")
def new_file(levels: Annotated[int, typer.Option(help="how many ordered levels the task has", min=2)] = 5) -> None:
    """Print a design to begin with, as a TOML file that explains its fields.

    Example: esi reward new --levels 7 > mine.toml
    """
    from ...reward.new_design import new_design

    typer.echo(new_design(levels), nl=False)


app.command("compare")(compare_designs)
app.command("recommend")(recommend_design)
app.command("repair")(repair_design)
app.command("simulate")(simulate_designs)
