"""A language model behind an OpenAI-compatible endpoint, prompted for each example."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from bench.errors import ModelError
from bench.features.columns import column_texts
from bench.llm.answers import read_label
from bench.llm.endpoint import chat_url
from bench.llm.prompt import placeholders, render

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from bench.llm.budget import Budget

PROMPT = """\
Classify the example at the end by one of these labels:
{descriptions}

{examples}

{inputs}

Answer with the label alone."""
"""The default prompt."""

_WHOLE = {"shots": 0, "retries": 0, "concurrency": 1}
_WHOLE_OR_NULL = {"max_tokens": 1, "max_calls": 1, "max_total_tokens": 1, "seed": 0}
_RESTORED = (
    "model",
    "prompt",
    "temperature",
    "max_tokens",
    "seed",
    "shots",
    "inputs",
    "labels",
    "label_map",
    "descriptions",
    "random_state",
)
"""Parameters that a stored classifier keeps: they define the request, not the endpoint or the cost."""

_VARIABLE = re.compile("[A-Z_][A-Z0-9_]*")


class LLMClassifier(ClassifierMixin, BaseEstimator):
    """Ask a language model for the label of each example.

    Each example is one request with one message. An answer that is not plainly one of the labels
    (`bench.llm.answers.read_label`) leaves its example unanswered, which counts as wrong; nothing is guessed. Every
    response is kept on disk (`bench.llm.cache`), so no request is paid twice on this machine.

    Parameters
    ----------
    model : str
        The model's name at the endpoint; required.
    base_url : str or None
        The part before ``/chat/completions``. None is the environment variable ``OPENAI_BASE_URL``, else
        ``http://localhost:8000/v1``.
    prompt : str
        A template with ``{inputs}`` (all input columns with their names) or the columns by themselves (``{text}``,
        ``{claim}``); ``{labels}``; ``{descriptions}``; ``{examples}``. See `bench.llm.prompt.render`.
    api_key_env : str
        The environment variable with the key. Without it, no key is sent, since local servers need none.
    temperature : float or None
        Randomness of the answers; None leaves it to the endpoint, as some models demand.
    max_tokens : int or None
        Tokens of an answer; None leaves it to the endpoint.
    seed : int or None
        The seed of the endpoint's sampling; None sends none.
    shots : int
        Labelled examples of the training part in each prompt, as many of each label as possible, in an order of their
        own for each `random_state`.
    max_calls, max_total_tokens : int or None
        What a fitted classifier may spend: requests, repeated ones too, and tokens of prompts and answers. One that
        reaches a limit raises an error; finished answers are kept. In a search, the limits apply to each setting.
    timeout : float
        Seconds to wait for a connection, and for each part of a response.
    retries : int
        How many times to retry a request, with growing waits, after a temporary failure.
    concurrency : int
        Requests at the same time, in each of the run's worker processes.
    deadline : float
        Seconds that a request may take, with all its tries and the waits between them.
    inputs, labels : sequence of str
        The task's input columns and labels.
    label_map : mapping of str to str, optional
        From the annotators' labels to the task's, where those are coarser.
    descriptions : mapping of str to str, optional
        A sentence for each label, or for annotators' labels.
    random_state : int or None
        Seed of the choice of shots.

    Attributes
    ----------
    classes_ : ndarray of str of shape (n_labels,)
        The task's labels, sorted, whether training has them or not.
    shots_ : list of (dict, str)
        The labelled examples in the prompt: their input columns, and their label.
    url_ : str
        The address of requests.
    unanswered_ : list of str
        After `predict`, why examples were left unanswered.
    notes_ : list of str
        After `predict`, its cost.
    """

    may_abstain = True

    refused_params: ClassVar[Mapping[str, str]] = {
        "api_key": "A key is not a parameter, since parameters are stored with every run. Put it into the environment "
        "variable that params.api_key_env names, by default OPENAI_API_KEY."
    }

    examined_as = "bench.models.llm_stand_in.StandInClassifier"
    """The class that `bench check` examines instead, since it needs no endpoint."""

    def __init__(
        self,
        model: str | None = None,
        base_url: str | None = None,
        prompt: str = PROMPT,
        api_key_env: str = "OPENAI_API_KEY",
        temperature: float | None = 0.0,
        max_tokens: int | None = 50,
        seed: int | None = 0,
        shots: int = 0,
        max_calls: int | None = None,
        max_total_tokens: int | None = None,
        timeout: float = 60.0,
        retries: int = 5,
        concurrency: int = 4,
        deadline: float = 600.0,
        inputs: Sequence[str] = ("text",),
        labels: Sequence[str] = (),
        label_map: Mapping[str, str] | None = None,
        descriptions: Mapping[str, str] | None = None,
        random_state: int | None = None,
    ) -> None:
        self.model = model
        self.base_url = base_url
        self.prompt = prompt
        self.api_key_env = api_key_env
        self.temperature = temperature
        self.max_tokens = max_tokens
        self.seed = seed
        self.shots = shots
        self.max_calls = max_calls
        self.max_total_tokens = max_total_tokens
        self.timeout = timeout
        self.retries = retries
        self.concurrency = concurrency
        self.deadline = deadline
        self.inputs = inputs
        self.labels = labels
        self.label_map = label_map
        self.descriptions = descriptions
        self.random_state = random_state

    def check_task(self) -> None:
        """Check all parameters, without asking the endpoint.

        Raises
        ------
        bench.errors.ModelError
            If one is wrong, or the prompt does not fit the task.
        """
        if not isinstance(self.model, str) or not self.model.strip():
            raise ModelError(
                "llm: params.model is missing.",
                "Set the model's name at the endpoint, for example model.params.model=Qwen/Qwen2.5-7B-Instruct.",
            )
        if not isinstance(self.api_key_env, str) or not _VARIABLE.fullmatch(self.api_key_env):
            # The value may be a key, so it is not repeated.
            raise ModelError(
                "llm: params.api_key_env is not a name of an environment variable (capitals, digits and underscores).",
                "Give the variable's name, such as OPENAI_API_KEY, and put the key into that variable.",
            )
        chat_url(self.base_url)
        for name, least in (_WHOLE | _WHOLE_OR_NULL).items():
            value = getattr(self, name)
            null = name in _WHOLE_OR_NULL
            if not (null and value is None) and (not _is_number(value, int) or value < least):
                raise _wrong(name, value, f"a whole number, at least {least}{', or null' * null}")
        if self.temperature is not None and (not _is_number(self.temperature, int | float) or self.temperature < 0):
            raise _wrong("temperature", self.temperature, "a number, at least 0, or null")
        if not _is_number(self.timeout, int | float) or self.timeout <= 0:
            raise _wrong("timeout", self.timeout, "a number of seconds above 0")
        if not _is_number(self.deadline, int | float) or self.deadline < self.timeout:
            raise _wrong("deadline", self.deadline, f"a number of seconds, at least those of timeout, {self.timeout:g}")
        self._check_prompt()

    @classmethod
    def restored(cls, defined: LLMClassifier, state: Mapping[str, Any]) -> LLMClassifier:
        """Make a stored classifier again.

        A stored file may come from anyone. So it defines the request, and the local definition the address,
        which key is sent there, and what may be spent.

        Parameters
        ----------
        defined : LLMClassifier
            As the model is defined here.
        state : mapping
            The stored plain values.

        Raises
        ------
        bench.errors.ModelError
            If the stored run used another address, or its parameters are invalid.
        """
        made = cls(**(defined.get_params() | {name: state[name] for name in _RESTORED}))
        made.check_task()
        url = chat_url(made.base_url)
        if state["url_"] != url:
            asked = str(state["url_"]).removesuffix("/chat/completions")
            raise ModelError(
                f"the stored run used {asked!r}. An address is never taken from a stored model; the one "
                f"set here is {url.removesuffix('/chat/completions')!r}.",
                "To allow sending texts there, add model.params.base_url=ADDRESS, or set OPENAI_BASE_URL or "
                "params.base_url in configs/model/.",
            )
        made.url_ = url
        made.classes_ = np.array(sorted(made.labels))
        made.shots_ = [({str(k): str(v) for k, v in row.items()}, str(label)) for row, label in state["shots_"]]
        made._budget = None
        return made

    def sources(self) -> dict[str, str]:
        """Say which model at which address answers, and by which descriptions, as both decide a run's numbers."""
        content = json.dumps(dict(self.descriptions or {}), sort_keys=True)
        return {
            "endpoint": f"{self.model} at {chat_url(self.base_url)}",
            "descriptions": hashlib.sha256(content.encode()).hexdigest()[:12],
        }

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> LLMClassifier:
        """Choose the shots, and return itself. No request is made.

        Raises
        ------
        bench.errors.UserError
            If a parameter is invalid, `y` has a label that the task does not have, or a column is missing or not text.
        """
        self.check_task()
        y = np.asarray(y).astype(str)
        unknown = sorted(set(y.tolist()) - set(self.labels))
        if unknown:
            raise ModelError(f"llm: {', '.join(unknown)} is not among the labels {', '.join(self.labels)}.")
        rows = self._rows(X)
        self.url_ = chat_url(self.base_url)
        self.classes_ = np.array(sorted(self.labels))
        self.shots_ = [(rows[place], str(y[place])) for place in self._drawn(y)]
        self._budget: Budget | None = None
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.object_]:
        """Ask for each example's label.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_examples, n_inputs)
            The input columns.

        Returns
        -------
        ndarray of object of shape (n_examples,)
            Labels of the task, or None for no valid answer.

        Raises
        ------
        bench.errors.BenchError
            If the endpoint refuses or fails, a spending limit is reached, or the cache cannot be used.
        bench.errors.UserError
            If a column is missing or not text.
        """
        check_is_fitted(self)
        answers = self._complete([self._body(row) for row in self._rows(X)])
        self.unanswered_ = [reason for label, reason in answers if label is None]
        return np.array([label for label, _ in answers], dtype=object)

    def _complete(self, bodies: list[dict[str, Any]]) -> list[tuple[str | None, str]]:
        """What `read_label` reads of the response to each request."""
        from bench.llm.budget import Budget
        from bench.llm.cache import ResponseCache
        from bench.llm.complete import complete
        from bench.llm.endpoint import Endpoint

        if self._budget is None:
            self._budget = Budget(self.max_calls, self.max_total_tokens)
        budget, before = self._budget, (self._budget.calls, self._budget.tokens)
        endpoint = Endpoint(self.url_, self.api_key_env, self.timeout, self.retries, self.concurrency, self.deadline)
        read = partial(read_label, labels=self.labels)
        answers, cached = complete(bodies, endpoint, ResponseCache(), budget, self.concurrency, read)
        calls, tokens = budget.calls - before[0], budget.tokens - before[1]
        self.notes_ = [
            f"{calls} {'call' if calls == 1 else 'calls'} to the endpoint with {tokens:,} tokens, "
            f"{cached} {'answer' if cached == 1 else 'answers'} from the cache"
        ]
        return answers

    def __getstate__(self) -> dict[str, Any]:
        """Leave the spending out: it belongs to this process, and has a lock."""
        state = super().__getstate__()
        return state | {"_budget": None} if "_budget" in state else state

    def _body(self, row: Mapping[str, str]) -> dict[str, Any]:
        prompt = render(self.prompt, row, self.labels, self._described(), self.shots_)
        # Invalid Unicode cannot be sent.
        content = prompt.encode(errors="replace").decode()
        optional = {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": self.seed}
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            **{name: value for name, value in optional.items() if value is not None},
        }

    def _rows(self, X: pd.DataFrame) -> list[dict[str, str]]:
        columns = [column_texts(X, name, {}) for name in self.inputs]
        return [dict(zip(self.inputs, row, strict=True)) for row in zip(*columns, strict=True)]

    def _described(self) -> dict[str, list[str]]:
        """The sentences on each of the task's labels."""
        found: dict[str, list[str]] = {}
        for label, sentence in (self.descriptions or {}).items():
            found.setdefault((self.label_map or {}).get(label, label), []).append(sentence)
        return found

    def _drawn(self, y: NDArray[np.str_]) -> list[int]:
        """The positions of the shots: labels take turns until there are enough; then shuffled."""
        rng = np.random.default_rng(self.random_state)
        by_label = [rng.permutation(np.flatnonzero(y == label)).tolist() for label in self.labels]
        turns = range(max(map(len, by_label), default=0))
        in_turns = [places[turn] for turn in turns for places in by_label if turn < len(places)]
        chosen = in_turns[: self.shots]
        return [chosen[place] for place in rng.permutation(len(chosen))]

    def _check_prompt(self) -> None:
        if not isinstance(self.prompt, str):
            raise _wrong("prompt", self.prompt, "text")
        found = placeholders(self.prompt, self.inputs)
        if not {"inputs", *self.inputs} & set(found):
            raise ModelError(
                "llm: params.prompt does not contain the example.",
                f"Put {{inputs}} into it, or {' or '.join(f'{{{name}}}' for name in self.inputs)}.",
            )
        if self.shots and "examples" not in found:
            raise ModelError(
                f"llm: params.shots={self.shots}, but params.prompt does not contain them.", "Put {examples} into it."
            )


def _is_number(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and bool(np.isfinite(value))


def _wrong(name: str, value: object, expected: str) -> ModelError:
    return ModelError(f"llm: params.{name}={json.dumps(value, default=str)}: expected {expected}.")
