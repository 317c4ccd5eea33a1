"""How many texts a CPU second the reader learns from: in float32, and as it is trained on this processor.

    python benchmarks/reader_training.py --batches 25

Notes and vignettes in the experiment's own batches, forwards and backwards, without the optimizer's step. One thread,
pairs in turn.
"""

import argparse
import random
import time

import torch

from esi_triage.train.base_models import quiet
from esi_triage.train.reader.minilm import minilm
from esi_triage.train.reader.network import Inputs, ReaderNetwork, fast_arithmetic, loss_of
from esi_triage.train.reader.settings import load_reader_experiment
from esi_triage.train.reader.texts import Lesson, batches, lessons


def texts_a_second(taught: list[list[Lesson]], fast: bool) -> float:
    """Texts a CPU second, of a fresh network."""
    experiment, base = load_reader_experiment(), minilm()
    torch.manual_seed(0)
    network, inputs = ReaderNetwork(base, experiment).train(), Inputs(base, experiment.trainer.max_tokens)
    arithmetic = fast_arithmetic(network) if fast else torch.autocast("cpu", enabled=False)
    read = [inputs.of([lesson.narrative for lesson in batch]) for batch in taught]
    began = time.process_time()
    for batch, (ids, mask, numbers) in zip(taught, read, strict=True):
        with arithmetic:
            logits = network(inputs.masked(ids, experiment.trainer.masked), mask, numbers)
        loss_of(logits, batch, experiment.trainer.ranked_weight).backward()
    return sum(map(len, taught)) / (time.process_time() - began)


def main() -> None:
    """Print pairs of figures and the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=25)
    parser.add_argument("--pairs", type=int, default=3)
    chosen = parser.parse_args()
    quiet()
    torch.set_num_threads(1)
    experiment = load_reader_experiment()
    data = experiment.data.model_copy(update={"visits": 0, "note_passes": 1})
    every = batches(lessons(data, None, experiment.seed), experiment.trainer.batch_size, experiment.seed)
    taught = random.Random(1).sample(every, chosen.batches)
    able = [name for name in ("amx_bf16", "avx512_bf16") if torch.cpu.get_capabilities().get(name)]
    print(f"processor with {', '.join(able) or 'neither amx_bf16 nor avx512_bf16: both figures are float32'}")
    ratios = []
    for _ in range(chosen.pairs):
        exact, fast = (texts_a_second(taught, each) for each in (False, True))
        ratios.append(fast / exact)
        print(f"float32 {exact:.1f}, as trained {fast:.1f} texts a CPU second: {fast / exact:.2f}x")
    print(f"median {sorted(ratios)[len(ratios) // 2]:.2f}x")


if __name__ == "__main__":
    main()
