"""Examples a second of `finetune` against a plain ``transformers.Trainer`` script, in one run.

All train the same encoder on the same pairs, in the same number of steps of 16, with word embeddings frozen, on one
thread:

- the harness's `FineTunedClassifier`, without averaging, which a plain script has not,
- a plain script with the same settings: bfloat16, batches of like length, each padded to its longest,
- a plain script as tutorials have it: float32, every text padded to 128 tokens.

They take turns, and the time is the processor's, so that other work on the machine falls on all alike.

    python tests/benchmarks/finetune_speed.py PAIRS.csv [--encoder NAME] [--steps 25] [--rounds 5]

PAIRS.csv has the columns s1, s2 and stance (the ``train.csv`` of github.com/latynt/ans).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import defaultdict
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import torch
import transformers
from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainingArguments

from bench.encoders import find_encoder
from bench.encoders.device import has_bfloat16
from bench.encoders.transformer import pool
from bench.encoders.weights import weights_folder
from bench.models.finetune import FineTunedClassifier

BATCH = 16


class PlainClassifier(torch.nn.Module):
    """Mean pooling and a linear layer, as a script would write them."""

    def __init__(self, folder: str, pooling: str, n_classes: int) -> None:
        super().__init__()
        self.encoder = transformers.AutoModel.from_pretrained(folder)
        self.pooling = pooling
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, n_classes)
        self.encoder.get_input_embeddings().requires_grad_(False)

    def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> dict[str, Any]:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits = self.head(pool(hidden, attention_mask, self.pooling))
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


class Clock(transformers.TrainerCallback):
    """The processor's time of the steps after the first two, on which kernels are still being made."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.times.append(time.process_time())

    def seconds(self) -> float:
        return self.times[-1] - self.times[1]


def plain(pairs: pd.DataFrame, name: str, steps: int, padded: bool) -> float:
    encoder = find_encoder(name)
    folder = str(weights_folder(encoder))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    texts = [[encoder.prefix + text for text in pairs[column]] for column in ("claim", "text")]
    limits: dict[str, Any] = {"padding": "max_length", "max_length": 128} if padded else {"max_length": 256}
    tokens = tokenizer(*texts, truncation=True, return_attention_mask=padded, **limits)
    classes = np.unique(pairs["label"], return_inverse=True)[1].tolist()
    rows = [{**{k: v[n] for k, v in tokens.items()}, "labels": label} for n, label in enumerate(classes)]
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            max_steps=steps,
            per_device_train_batch_size=BATCH,
            learning_rate=1e-4,
            weight_decay=0.01,
            warmup_steps=0.1,
            bf16=not padded and has_bfloat16(torch.device("cpu")),
            train_sampling_strategy="random" if padded else "group_by_length",
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        trainer = Trainer(
            model=PlainClassifier(folder, encoder.pooling, len(set(classes))),
            args=arguments,
            processing_class=tokenizer,
            data_collator=DataCollatorWithPadding(tokenizer),
            train_dataset=rows,
            callbacks=[clock],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return clock.seconds()


def harness(pairs: pd.DataFrame, name: str, steps: int) -> float:
    classifier = FineTunedClassifier(
        encoder=name, batch_size=BATCH, epochs=1, early_stopping=False, average=False, inputs=("claim", "text")
    )
    clock = Clock()
    from bench.encoders import training

    usual = training._Watch.on_step_end
    training._Watch.on_step_end = lambda self, *args, **kwargs: clock.on_step_end(*args, **kwargs)  # type: ignore
    try:
        classifier.fit(pairs.sample(steps * BATCH, random_state=0), pairs["label"].to_numpy(str)[: steps * BATCH])
    finally:
        training._Watch.on_step_end = usual  # type: ignore[method-assign]
    return clock.seconds()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs")
    parser.add_argument("--encoder", default="multilingual-e5-small-4bit")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pairs = pd.read_csv(options.pairs).rename(columns={"s1": "claim", "s2": "text", "stance": "label"})
    pairs = pairs.sample(options.steps * BATCH, random_state=0)
    ways = {
        "harness": lambda: harness(pairs, options.encoder, options.steps),
        "plain Trainer, same settings": lambda: plain(pairs, options.encoder, options.steps, padded=False),
        "plain Trainer, float32, padded to 128": lambda: plain(pairs, options.encoder, options.steps, padded=True),
    }
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(options.rounds):
        for way, measure in ways.items():
            seconds[way].append(measure())
    ours = np.array(seconds["harness"])
    for way, taken in seconds.items():
        rate = (options.steps - 2) * BATCH / np.median(taken)
        ratios = np.array(taken) / ours
        print(
            f"{way:40} {rate:6.1f} examples/s   ratio {np.median(ratios):.2f} [{ratios.min():.2f}, {ratios.max():.2f}]"
        )


if __name__ == "__main__":
    main()
