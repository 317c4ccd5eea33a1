"""ESI triage as a task of inspect-ai.

    inspect eval esi_triage/evaluate/adapters/inspect_ai.py -T cases=held_out.parquet --model vllm/Qwen/Qwen3.5-9B

Answers are scored as `esi evaluate` scores them; only the standard errors are inspect's, not our intervals.
"""

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver

from ...answer import load_prompt, parse
from ...data.credentialed import refuse_remote
from ...esi import Case
from . import labelled_cases, scores_of

# inspect's providers that answer in this process; every other one is judged by its URL
IN_PROCESS = ("mockllm", "hf", "transformer_lens", "nnterp", "llama-cpp-python", "none")


@task
def esi_triage(cases: str, prompt: str = "model-card", agreement: str | None = None) -> Task:
    """Labelled cases (.parquet or .jsonl), asked with the named prompt.

    `agreement` names what allows credentialed cases to go to a model elsewhere; without it they are refused.
    """
    system, found = load_prompt(prompt).system, labelled_cases(cases)
    samples = [
        Sample(
            id=case.case_id,
            input=[ChatMessageSystem(content=system), ChatMessageUser(content=case.narrative)],
            target=str(case.gold),
        )
        for case in found
    ]
    return Task(
        dataset=MemoryDataset(samples, name="esi-triage"),
        solver=[kept_here(found, agreement), generate()],
        scorer=esi_score(),
    )


@solver
def kept_here(cases: list[Case], agreement: str | None) -> Solver:
    """Refuses, before the first request, to send credentialed cases to a model that is not on this machine."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        from inspect_ai.model import get_model

        model = get_model()
        if str(state.model).split("/")[0] not in IN_PROCESS:
            refuse_remote([case.licence for case in cases], model.api.base_url or str(state.model), agreement)
        return state

    return solve


@scorer(metrics={"*": [mean(), stderr()]})
def esi_score() -> Scorer:
    """Exact, within one level, under- and over-triage, no answer: 0 or 1 each."""

    async def score(state: TaskState, target: Target) -> Score:
        text = state.output.completion
        level = parse(text).level
        return Score(value=dict(scores_of(text, int(target.text))), answer=None if level is None else str(level))

    return score
