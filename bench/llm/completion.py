"""The part of a chat completion that is read, as OpenAI's interface defines it."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Answer(TypedDict):
    """What a model said."""

    content: NotRequired[object]


class Alternative(TypedDict):
    """One of the answers to a request, and why it ended."""

    message: Answer
    finish_reason: NotRequired[object]


class Completion(TypedDict):
    """The body of a response; `bench.llm.endpoint` verifies that there is an answer."""

    choices: list[Alternative]
    usage: NotRequired[object]
