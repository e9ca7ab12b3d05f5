"""A replacement for a language model, to examine a classifier without any request."""

from __future__ import annotations

from bench.llm.answers import read_label
from bench.llm.cache import request_key
from bench.models.llm import LLMClassifier


class StandInClassifier(LLMClassifier):
    """An `LLMClassifier` with answers derived from a digest of the request, in the forms that a model may use.

    `bench check` examines it instead of the real one: the prompt, the choice of shots, the parsing of answers and
    the storage are the same, and no server is needed. It has no other use.
    """

    def check_task(self) -> None:
        """Check all parameters; a model's name is not needed, since no request is made."""
        LLMClassifier(**(self.get_params() | {"model": self.model or "stand-in"})).check_task()

    def _complete(self, bodies: list[dict[str, object]]) -> list[tuple[str | None, str]]:
        return [read_label({"choices": [{"message": {"content": self._answer(body)}}]}, self.labels) for body in bodies]

    def _answer(self, body: dict[str, object]) -> str:
        number = int.from_bytes(request_key(self.url_, body)[:4], "big")
        label = self.labels[number % len(self.labels)]
        forms = (label, f"{label.upper()}.", f'{{"label": "{label}"}}', f"```json\n{label}\n```", "I cannot tell.")
        return forms[(number >> 16) % len(forms)]
