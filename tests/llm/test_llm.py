"""A language model behind an endpoint: asked once, never guessed for, never overspent, and no key leaked."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hostile_server
import numpy as np
import pandas as pd
import pytest
from chat_server import ChatServer, Reply, completion
from hypothesis import given
from hypothesis import strategies as st
from present import present
from sklearn.base import clone
from small_tasks import CUES, LABELS, text_task

from bench.catalogue import load_model
from bench.config import Search
from bench.data import Task
from bench.data.splits import split_by_group
from bench.errors import BenchError, ModelError
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.llm import endpoint as endpoint_module
from bench.llm.answers import read_label
from bench.llm.budget import Budget
from bench.llm.cache import ResponseCache, request_key
from bench.llm.complete import complete
from bench.llm.completion import Completion
from bench.llm.endpoint import Endpoint, chat_url
from bench.llm.prompt import placeholders, render
from bench.models.llm import LLMClassifier
from bench.models.persistence import dumps, loads
from bench.planning.examine import examine

KEY = "sk-Secret/0123456789+abcdef"
ROOT = Path(__file__).parents[2]


def by_cue(request: dict[str, Any]) -> Reply:
    """The label whose cue stands in the prompt's last example."""
    shown = request["messages"][-1]["content"].rpartition("text:")[2]
    return completion(next((label for label, cue in CUES.items() if cue in shown), "what?"))


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own, no address or key of the machine's, and short waits."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(endpoint_module, "FIRST_WAIT", 0.01)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(by_cue) as running:
        yield running


def classifier(server: ChatServer | str, task: Task, **params: Any) -> LLMClassifier:
    url = server if isinstance(server, str) else server.url
    model = LLMClassifier(model="some-model", base_url=url, labels=task.labels, inputs=task.inputs)
    return model.set_params(**params).fit(task.frame, task.y)


def said(content: str | None, finish: str = "stop") -> Completion:
    response: Completion = json.loads(completion(content, finish=finish).body)
    return response


# --- Asking -----------------------------------------------------------------------------------------------------------


def test_each_example_is_one_request_at_the_chat_completions_of_the_address(server: ChatServer) -> None:
    task = text_task(noise=0.0)
    model = classifier(server, task, temperature=0.0, max_tokens=7, seed=3)
    assert server.bodies == []
    assert np.array_equal(model.predict(task.frame), task.y)
    assert len(server.bodies) == len(task)
    for body in server.bodies:
        assert body["path"] == "/v1/chat/completions"
        assert body["model"] == "some-model"
        assert (body["temperature"], body["max_tokens"], body["seed"]) == (0.0, 7, 3)
        assert [message["role"] for message in body["messages"]] == ["user"]
    asked = " ".join(body["messages"][0]["content"] for body in server.bodies)
    assert all(text in asked for text in task.frame["text"])
    assert all("Authorization" not in headers for headers in server.headers)


def test_what_is_null_is_not_sent(server: ChatServer) -> None:
    task = text_task()
    classifier(server, task, temperature=None, max_tokens=None, seed=None).predict(task.frame.iloc[:1])
    assert server.bodies[0].keys() == {"model", "messages", "path"}


def test_the_key_is_read_from_the_named_variable_and_sent_as_a_bearer(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSROOM_KEY", f" {KEY}\n")
    task = text_task()
    classifier(server, task, api_key_env="NEWSROOM_KEY").predict(task.frame.iloc[:1])
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_no_more_requests_are_made_at_once_than_asked_for() -> None:
    task = text_task(n_groups=4)
    for concurrency in (1, 3):
        with ChatServer(lambda request: Reply(by_cue(request).body, after=0.02)) as server:
            classifier(server, task, concurrency=concurrency).predict(task.frame)
            assert server.most_at_once <= concurrency
            assert concurrency == 1 or server.most_at_once > 1


# --- The cache --------------------------------------------------------------------------------------------------------


def test_a_request_is_made_once_however_many_models_and_rows_ask(server: ChatServer) -> None:
    task = text_task(noise=0.0)
    twice = pd.concat([task.frame, task.frame], ignore_index=True)
    first = classifier(server, task)
    assert np.array_equal(first.predict(twice), [*task.y, *task.y])
    assert first.notes_ == [f"{len(task)} calls to the endpoint with {10 * len(task)} tokens, 0 answers from the cache"]
    second = classifier(server, task)
    assert np.array_equal(second.predict(task.frame), task.y)
    assert second.notes_ == [f"0 calls to the endpoint with 0 tokens, {len(task)} answers from the cache"]
    assert len(server.bodies) == len(task)


@pytest.mark.parametrize(
    "change",
    [{"model": "other"}, {"temperature": 1.0}, {"max_tokens": 9}, {"seed": 1}, {"prompt": "{text}? text:{text}"}],
)
def test_another_request_is_made_anew(server: ChatServer, change: dict[str, Any]) -> None:
    task = text_task()
    classifier(server, task).predict(task.frame.iloc[:3])
    classifier(server, task, **change).predict(task.frame.iloc[:3])
    assert len(server.bodies) == 6


def test_another_address_is_asked_anew(server: ChatServer) -> None:
    body = {"model": "m", "messages": []}
    assert request_key("http://a/v1", body) != request_key("http://b/v1", body)
    assert request_key("http://a/v1", {"model": "m", "x": 1}) == request_key("http://a/v1", {"x": 1, "model": "m"})


def test_two_that_ask_the_same_at_the_same_time_pay_once(server: ChatServer) -> None:
    server.reply = lambda request: Reply(by_cue(request).body, after=0.05)
    task = text_task(noise=0.0)
    models = [classifier(server, task) for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda model: model.predict(task.frame), models))
    assert all(np.array_equal(each, task.y) for each in answers)
    assert len(server.bodies) == len(task)


def test_the_cache_holds_whole_responses_and_no_request(server: ChatServer, tmp_path: Path) -> None:
    task = text_task(noise=0.0)
    classifier(server, task).predict(task.frame)
    path = tmp_path / "cache" / "llm" / "responses.sqlite"
    stored = [json.loads(response) for (response,) in sqlite3.connect(path).execute("SELECT response FROM responses")]
    assert len(stored) == len(task)
    assert all(response["usage"] == {"total_tokens": 10} and response["id"] == "chatcmpl-1" for response in stored)
    assert "المتحدث".encode() not in path.read_bytes()


def test_a_damaged_cache_is_named_and_nothing_is_asked(server: ChatServer, tmp_path: Path) -> None:
    path = tmp_path / "cache" / "llm" / "responses.sqlite"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all" * 100)
    task = text_task()
    with pytest.raises(BenchError, match=r"responses\.sqlite: the cache of responses cannot be used"):
        classifier(server, task).predict(task.frame)
    assert server.bodies == []


# --- Failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [
        Reply("slow down", 429),
        Reply("slow down", 429, {"Retry-After": "not a time"}),
        Reply("oops", 500),
        Reply("oops", 503),
        Reply("timed out", 408),
        Reply("conflict", 409),
        Reply("", 0),
        Reply("<html>gateway</html>"),
        Reply('{"error": {"message": "overloaded", "code": 502}}'),
        Reply('{"choices": []}'),
    ],
)
def test_a_failure_that_may_pass_is_tried_again(server: ChatServer, failure: Reply) -> None:
    server.fail_first(failure, failure)
    task = text_task(noise=0.0)
    model = classifier(server, task, retries=2)
    assert model.predict(task.frame.iloc[:1]).tolist() == [task.y[0]]
    assert len(server.bodies) == 3
    assert model.notes_[0].startswith("3 calls")


def test_retries_wait_longer_and_longer(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = waited(monkeypatch)
    monkeypatch.setattr(endpoint_module, "FIRST_WAIT", 1.0)
    server.fail_first(*[Reply("oops", 500)] * 3)
    task = text_task()
    classifier(server, task, retries=3).predict(task.frame.iloc[:1])
    for wait, most in zip(waits, (1.0, 2.0, 4.0), strict=True):
        assert most / 2 <= present(wait) <= most


def waited(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """The seconds that are asked to be waited between tries, of which none is waited."""
    waits: list[float | None] = []

    class Impatient(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return self.is_set()

    monkeypatch.setattr("bench.llm.complete.threading", SimpleNamespace(Event=Impatient))
    return waits


def test_an_endpoint_that_says_when_to_come_back_is_believed(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = waited(monkeypatch)
    server.fail_first(Reply("slow down", 429, {"Retry-After": "17"}))
    task = text_task()
    classifier(server, task).predict(task.frame.iloc[:1])
    assert waits == [17.0]


def test_an_endpoint_that_asks_for_too_long_a_wait_has_refused(server: ChatServer) -> None:
    server.fail_first(Reply("quota of today is used", 429, {"Retry-After": "86400"}))
    task = text_task()
    with pytest.raises(
        BenchError,
        match=r"asks to wait for longer than params\.deadline=600 allows: status 429: quota",
    ):
        classifier(server, task).predict(task.frame.iloc[:1])
    assert len(server.bodies) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 301])
def test_a_refusal_is_not_tried_again_and_its_words_are_shown(server: ChatServer, status: int) -> None:
    server.fail_first(Reply('{"error": {"message": "there is no\\nmodel some-model"}}', status))
    task = text_task()
    with pytest.raises(BenchError, match=f"rejects the request: status {status}: there is no model some-model"):
        classifier(server, task).predict(task.frame.iloc[:1])
    assert len(server.bodies) == 1


def test_what_ended_a_run_is_told_and_not_what_it_cut_short(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_module, "FIRST_WAIT", 60.0)
    task = text_task()
    first = task.frame["text"].iloc[0]
    server.reply = lambda request: (
        Reply("busy", 503) if first in str(request["messages"]) else Reply("no credit", 402, after=0.1)
    )
    with pytest.raises(BenchError, match="rejects the request: status 402: no credit"):
        classifier(server, task, concurrency=2).predict(task.frame)
    assert len(server.bodies) <= 3


def test_after_the_last_retry_the_fold_fails_with_what_was_wrong(server: ChatServer) -> None:
    server.reply = lambda request: Reply("out of order", 500)
    task = text_task()
    with pytest.raises(BenchError, match="fails, tried 3 times: status 500: out of order"):
        classifier(server, task, retries=2).predict(task.frame.iloc[:1])
    assert len(server.bodies) == 3


def test_a_slow_endpoint_is_not_waited_for_beyond_the_timeout(server: ChatServer) -> None:
    # The first answer never comes while the second try is not made.
    server.fail_first(Reply(completion("none").body, until=2))
    task = text_task(noise=0.0)
    model = classifier(server, task, timeout=0.2, retries=1)
    assert model.predict(task.frame.iloc[:1]).tolist() == [task.y[0]]
    assert len(server.bodies) == 2


@pytest.mark.parametrize(
    "answer",
    [
        hostile_server.endless_body,
        hostile_server.endless_chunks,
        hostile_server.compressed(),
        hostile_server.compressed(times=2),
    ],
)
def test_an_answer_without_an_end_is_refused_at_once_and_takes_little_memory(answer: Any) -> None:
    task = text_task()
    with hostile_server.serving(answer) as url:
        classifier(url, task).predict(task.frame.iloc[:0])
        tracemalloc.start()
        with pytest.raises(BenchError, match="its answer is larger than 4 MiB"):
            classifier(url, task).predict(task.frame.iloc[:1])
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
        tracemalloc.stop()


@pytest.mark.parametrize("answer", [hostile_server.endless_header, hostile_server.endless_line])
def test_a_header_without_an_end_is_a_failure(answer: Any) -> None:
    task = text_task()
    with hostile_server.serving(answer) as url, pytest.raises(BenchError, match="fails, tried 2 times"):
        classifier(url, task, retries=1).predict(task.frame.iloc[:1])


@pytest.mark.parametrize("answer", [hostile_server.slow_header, hostile_server.slow_body, hostile_server.silence])
@pytest.mark.parametrize("timeout", [0.15, 0.4])
def test_a_request_ends_at_its_deadline_however_slowly_an_answer_comes(answer: Any, timeout: float) -> None:
    task = text_task()
    begin = time.monotonic()
    with (
        hostile_server.serving(answer) as url,
        pytest.raises(BenchError, match=r"no answer came within params.deadline=0.4 seconds"),
    ):
        classifier(url, task, timeout=timeout, deadline=0.4, retries=100).predict(task.frame.iloc[:1])
    assert time.monotonic() - begin < 3


def test_many_large_answers_are_not_held_in_memory(server: ChatServer) -> None:
    task = text_task(noise=0.0)
    long = {"padding": "x" * 2**20}
    server.reply = lambda request: Reply(json.dumps(json.loads(by_cue(request).body) | long))
    model = classifier(server, task)
    model.predict(task.frame)
    tracemalloc.start()
    model.predict(task.frame)
    assert len(task) * 2**20 > 3 * tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def test_no_server_is_said_with_its_address() -> None:
    task = text_task()
    with pytest.raises(BenchError, match=r"http://127\.0\.0\.1:1/v1/chat/completions fails, tried 2 times: .*refused"):
        classifier("http://127.0.0.1:1/v1", task, retries=1).predict(task.frame.iloc[:1])


def test_what_was_answered_before_a_failure_is_not_asked_again(server: ChatServer) -> None:
    task = text_task(noise=0.0)
    server.reply = lambda request: Reply("no", 400) if len(server.bodies) > 10 else by_cue(request)
    with pytest.raises(BenchError, match=f"10 of {len(task)} requests are answered and kept in the cache"):
        classifier(server, task, concurrency=1).predict(task.frame)
    server.reply = by_cue
    assert np.array_equal(classifier(server, task).predict(task.frame), task.y)
    assert len(server.bodies) == 11 + len(task) - 10


# --- Spending limits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 4])
def test_no_more_calls_are_made_than_allowed_and_a_higher_limit_goes_on(server: ChatServer, concurrency: int) -> None:
    task = text_task(noise=0.0)
    limited = classifier(server, task, max_calls=5, concurrency=concurrency)
    with pytest.raises(BenchError, match=f"limit max_calls=5 is reached.*5 of {len(task)} requests are answered"):
        limited.predict(task.frame)
    assert len(server.bodies) == 5
    # What is in the cache costs nothing.
    rest = classifier(server, task, max_calls=len(task) - 5, concurrency=concurrency)
    assert np.array_equal(rest.predict(task.frame), task.y)
    assert len(server.bodies) == len(task)


def test_the_limit_holds_over_all_that_a_classifier_predicts_and_counts_retries(server: ChatServer) -> None:
    task = text_task()
    model = classifier(server, task, max_calls=4)
    server.fail_first(Reply("oops", 500))
    model.predict(task.frame.iloc[:3])
    with pytest.raises(BenchError, match="max_calls=4 is reached"):
        model.predict(task.frame.iloc[3:4])
    assert len(server.bodies) == 4


def test_tokens_are_limited_by_what_the_endpoint_says_it_used(server: ChatServer) -> None:
    task = text_task()
    with pytest.raises(BenchError, match=f"max_total_tokens=25 is reached, with 30 used.*3 of {len(task)} requests"):
        classifier(server, task, max_total_tokens=25, concurrency=1).predict(task.frame)
    assert len(server.bodies) == 3


def test_a_limit_of_tokens_needs_an_endpoint_that_counts_them(server: ChatServer) -> None:
    server.reply = lambda request: completion("none", tokens=None)
    task = text_task()
    assert classifier(server, task).predict(task.frame.iloc[:1]).tolist() == ["none"]
    with pytest.raises(BenchError, match="does not report how many tokens"):
        classifier(server, task, max_total_tokens=5, concurrency=1).predict(task.frame)


@given(st.integers(0, 6), st.integers(1, 5))
def test_calls_are_counted_right_by_many_threads(limit: int, threads: int) -> None:
    budget = Budget(limit, None)
    refused = []

    def take() -> None:
        try:
            budget.take_call()
        except BenchError as error:
            refused.append(error)

    running = [threading.Thread(target=take) for _ in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    assert budget.calls == min(limit, threads)
    assert len(refused) == max(0, threads - limit)


# --- Reading answers --------------------------------------------------------------------------------------------------


@given(
    st.sampled_from(LABELS),
    st.sampled_from([str, str.upper, str.title]),
    st.sampled_from(
        ["{}", "{}.", " {}\n", '"{}"', "“{}”.", "'{}.'", "`{}`", '{{"label": "{}"}}', '{{"label": " {}. "}}']
    ),
    st.sampled_from(["{}", "```\n{}\n```", "```json\n{}\n```"]),
)
def test_a_label_is_known_in_any_case_and_in_the_marks_that_models_put_around_it(
    label: str, case: Any, form: str, fence: str
) -> None:
    assert read_label(said(fence.format(form.format(case(label)))), LABELS) == (label, "")


@pytest.mark.parametrize(
    "content",
    [
        "denial or none",
        "denial, none",
        "denial\nnone",
        "The label is denial.",
        "denial!",
        "denial..",
        "deny",
        "non confirmation",
        '{"label": "denial", "reason": "he denies"}',
        '{"label": "denial", "label": "none"}',
        '{"label": ["denial"]}',
        '{"answer": "denial"}',
        '{"label": "denial"',
        '["denial"]',
        "<think>none</think>denial",
        "[" * 100_000,
        '{"label":' * 100_000,
        "",
        " \n",
        "...",
        "denial \ud83d",
        '{"label": "\\ud83d"}',
    ],
)
def test_anything_else_is_no_answer_and_says_why(content: str) -> None:
    label, reason = read_label(said(content), LABELS)
    assert label is None
    assert reason == "the answer is empty" if not content.strip() else reason.startswith("the answer is not one of")
    assert "\n" not in reason
    reason.encode()
    assert len(reason) < 150


@given(st.text(), st.lists(st.text(min_size=1), min_size=2, max_size=4, unique=True))
def test_an_answer_that_is_read_names_the_label_itself(content: str, labels: list[str]) -> None:
    label, reason = read_label(said(content), labels)
    assert (label is None) == bool(reason)
    if label is not None:
        assert label in labels
        assert label.casefold().strip("\"'“”„‘’«»` .\t\r\n。۔") in content.casefold() or '"label"' in content


def test_labels_that_differ_in_case_alone_are_told_apart_or_not_read() -> None:
    assert read_label(said("None"), ["none", "None"]) == ("None", "")
    assert read_label(said("NONE"), ["none", "None"])[0] is None


def test_arabic_labels_are_read() -> None:
    assert read_label(said("«نفي»."), ["نفي", "تأكيد"]) == ("نفي", "")
    decomposed = "تا\u0654كيد"
    assert read_label(said(decomposed), ["نفي", "تأكيد"]) == ("تأكيد", "")


@pytest.mark.parametrize(("content", "finish"), [(None, "content_filter"), (None, "stop"), ("a long tale", "length")])
def test_why_an_answer_ended_is_told(content: str | None, finish: str) -> None:
    label, reason = read_label(said(content, finish), LABELS)
    assert label is None
    assert (f"({finish})" in reason) is (finish != "stop")


def test_a_label_that_may_have_been_cut_off_is_no_answer() -> None:
    assert read_label(said("deny", "length"), ["deny", "deny-part"])[0] is None
    assert read_label(said("deny-part", "length"), ["deny", "deny-part"]) == ("deny-part", "")
    assert read_label(said("deny", "length"), ["deny", "confirm"]) == ("deny", "")
    assert read_label(said("deny", "stop"), ["deny", "deny-part"]) == ("deny", "")


def test_answers_that_do_not_parse_are_unanswered_and_count_as_wrong(server: ChatServer) -> None:
    server.reply = lambda request: completion("I cannot say.") if "رقم7" in str(request) else by_cue(request)
    task = text_task(n_groups=6, noise=0.0)
    splits = split_by_group(task.codes, task.groups, 3, seed=0)
    fold = next(number for number, split in enumerate(splits) if 7 in split.test)
    model = load_model("llm", {"params.model": "m", "params.base_url": server.url})
    result = evaluate(Evaluation(task, model, splits, Search("none", 1, None), 2, 0), fold, FeatureCache(task.frame))
    assert result.status == "ok", result.error
    tested = len(splits[fold].test)
    assert result.notes == [
        f"1 of {tested} examples was left unanswered: it counts as wrong; the first: the answer is not one of the "
        "labels: I cannot say.",
        f"{tested} calls to the endpoint with {10 * tested} tokens, 0 answers from the cache",
    ]
    assert result.scores["accuracy"] == pytest.approx((tested - 1) / tested)
    unanswered = result.predictions.query("predicted == ''")
    assert unanswered["id"].tolist() == ["e7"]


# --- Prompts and shots ------------------------------------------------------------------------------------------------


def test_an_unknown_placeholder_is_named_with_the_nearest_right_one() -> None:
    with pytest.raises(ModelError, match=r"unknown placeholder '\{txt\}'") as raised:
        placeholders("Is {txt} a denial?", ("text",))
    assert "Did you mean 'text'?" in str(raised.value)


@pytest.mark.parametrize(
    "template", ["{claim}", "{text.upper}", "{text[0]}", "{text!r}", "{text:>9}", "{}", "{0}", "{", "}"]
)
def test_nothing_but_placeholders_may_stand_in_braces(template: str) -> None:
    with pytest.raises(ModelError, match=r"params\.prompt"):
        placeholders(template, ("text",))


@given(st.text(), st.text())
def test_texts_are_put_in_as_they_are_whatever_braces_they_hold(claim: str, text: str) -> None:
    rendered = render("<{claim}|{text}>", {"claim": claim, "text": text}, LABELS, {}, [])
    assert rendered == f"<{claim}|{text}>"


def test_descriptions_tell_of_the_tasks_labels_and_of_the_examples_claim(server: ChatServer) -> None:
    model = LLMClassifier(
        model="m",
        base_url=server.url,
        labels=("agree", "other"),
        inputs=("claim", "text"),
        label_map={"discuss": "other", "unrelated": "other"},
        descriptions={"agree": "It says that {claim}.", "discuss": "It reports.", "unrelated": "It differs."},
    )
    frame = pd.DataFrame({"claim": ["rain fell"], "text": ["it rained"]})
    model.fit(frame, ["agree"]).predict(frame)
    asked = server.bodies[0]["messages"][0]["content"]
    assert "- agree: It says that rain fell.\n- other: It reports. It differs.\n" in asked
    assert "claim: rain fell\ntext: it rained" in asked


def test_shots_are_as_many_of_each_label_as_possible_and_the_same_for_the_same_seed() -> None:
    task = text_task(n_groups=6)
    for shots in range(8):
        chosen = classifier("http://h/v1", task, shots=shots, random_state=1).shots_
        counts = [sum(label == each for _, label in chosen) for each in LABELS]
        assert sum(counts) == shots
        assert max(counts) - min(counts) <= 1
        assert chosen == classifier("http://h/v1", task, shots=shots, random_state=1).shots_
        assert len({row["text"] for row, _ in chosen}) == shots
    drawn = {str(classifier("http://h/v1", task, shots=3, random_state=seed).shots_) for seed in range(8)}
    assert len(drawn) > 1


def test_a_rare_label_gives_what_it_has_and_the_others_the_rest() -> None:
    task = text_task(n_groups=4, noise=0.0)
    rows = np.concatenate([np.flatnonzero(task.codes == 0)[:1], np.flatnonzero(task.codes == 1)])
    model = LLMClassifier(model="m", labels=task.labels, shots=5).fit(task.frame.iloc[rows], task.y[rows])
    labels = [label for _, label in model.shots_]
    assert (labels.count("denial"), labels.count("non_confirmation")) == (1, 4)


def test_shots_are_of_the_training_part_and_stand_in_the_prompt_with_their_labels(server: ChatServer) -> None:
    task = text_task(noise=0.0)
    train, test = task.frame.iloc[:12], task.frame.iloc[12:]
    model = LLMClassifier(model="m", base_url=server.url, labels=task.labels, shots=3).fit(train, task.y[:12])
    assert np.array_equal(model.predict(test), task.y[12:])
    for row, label in model.shots_:
        assert row["text"] in set(train["text"])
        assert all(f"text: {row['text']}\nlabel: {label}" in body["messages"][0]["content"] for body in server.bodies)


# --- Parameters, storing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": ""}, "params.model is missing"),
        ({"temperature": -1}, "params.temperature=-1: expected a number"),
        ({"temperature": float("nan")}, "params.temperature=NaN: expected a number"),
        ({"max_tokens": 0}, "params.max_tokens=0: expected a whole number, at least 1, or null"),
        ({"max_calls": 1.5}, "params.max_calls=1.5"),
        ({"max_calls": True}, "params.max_calls=true"),
        ({"max_total_tokens": "many"}, 'params.max_total_tokens="many"'),
        ({"shots": None}, "params.shots=null"),
        ({"retries": -1}, "params.retries=-1"),
        ({"concurrency": 0}, "params.concurrency=0"),
        ({"timeout": 0}, "params.timeout=0: expected a number of seconds above 0"),
        ({"prompt": "Which of {labels}?"}, "params.prompt does not contain the example"),
        ({"prompt": None}, "params.prompt=null: expected text"),
        ({"prompt": "{text}", "shots": 2}, "params.shots=2, but params.prompt does not contain them"),
        ({"base_url": "localhost:8000"}, "params.base_url is not an address"),
        ({"base_url": "ftp://h/v1"}, "params.base_url is not an address"),
        ({"base_url": "http://h:port/v1"}, "params.base_url is not an address"),
    ],
)
def test_a_wrong_parameter_is_named_before_anything_runs(changes: dict[str, Any], expected: str) -> None:
    given = {"model": "m"} | changes
    model = load_model("llm", {f"params.{name}": value for name, value in given.items()})
    with pytest.raises(ModelError) as raised:
        examine(model, text_task())
    assert expected in str(raised.value)


def test_examining_asks_nobody_and_names_the_model_and_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endpoint, "ask", lambda *rest: pytest.fail("asked"))
    found = examine(load_model("llm", {"params.model": "m", "params.base_url": "https://h/v1/"}), text_task()).sources
    assert found["endpoint"] == "m at https://h/v1/chat/completions"
    other = examine(load_model("llm", {"params.model": "m"}), text_task(descriptions={"denial": "Nein."})).sources
    assert other["endpoint"] == "m at http://localhost:8000/v1/chat/completions"
    assert other["descriptions"] != found["descriptions"]


def test_the_address_is_the_models_else_the_environments_else_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chat_url(None) == "http://localhost:8000/v1/chat/completions"
    monkeypatch.setenv("OPENAI_BASE_URL", "https://env/v1")
    assert chat_url(None) == "https://env/v1/chat/completions"
    assert chat_url("https://own/v1") == "https://own/v1/chat/completions"


def test_a_fitted_classifier_is_cloned_and_stored_without_a_key(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    task = text_task(noise=0.0)
    model = classifier(server, task, shots=3, random_state=0)
    model.predict(task.frame)
    stored = dumps(model)
    (tmp_path / "model.skops").write_bytes(stored)
    assert holding(tmp_path, KEY) == []
    assert holding(tmp_path, "some-model") == ["model.skops"]
    defined = load_model("llm", {"params.base_url": server.url})
    assert np.array_equal(loads(stored, defined).predict(task.frame), task.y)
    assert len(server.bodies) == len(task)
    assert clone(model).get_params() == model.get_params()


def test_complete_keeps_the_order_of_requests(server: ChatServer, tmp_path: Path) -> None:
    server.reply = lambda request: Reply(completion(request["model"]).body, after=0.001 * (7 - int(request["model"])))
    bodies = [{"model": str(number), "messages": []} for number in (3, 1, 3, 5, 0)]
    endpoint = Endpoint(f"{server.url}/chat/completions", "NO_KEY", 5.0, 0, 4)
    answers, cached = complete(
        bodies, endpoint, ResponseCache(tmp_path), Budget(None, None), 4, lambda response: response
    )
    assert [each["choices"][0]["message"]["content"] for each in answers] == ["3", "1", "3", "5", "0"]
    assert (cached, len(server.bodies)) == (0, 4)


# --- No key anywhere --------------------------------------------------------------------------------------------------


def test_a_key_is_no_parameter_and_the_error_says_where_it_belongs(bench: Any, tmp_path: Path) -> None:
    for words in ((f"model.params.api_key='{KEY}'",), (f"model.params.estimator.api_key='{KEY}'",)):
        status, out, err = bench("run", "task=denial", "model=llm", f"results={tmp_path / 'results'}", *words)
        assert status == 2
        assert KEY not in out + err
        assert "api_key_env" in err
        assert "OPENAI_API_KEY" in err


@pytest.mark.parametrize(
    "word",
    [
        f"model.params.api_key_env='{KEY}'",
        f"model.params.base_url='https://user:{KEY}@h/v1'",
        f"model.params.base_url='https://h/v1?key={KEY}'",
    ],
)
def test_a_key_in_a_parameters_place_is_refused_without_repeating_it(bench: Any, tmp_path: Path, word: str) -> None:
    results = tmp_path / "results"
    status, out, err = bench("run", "task=denial", "model=llm", "model.params.model=m", f"results={results}", word)
    assert status == 2
    assert KEY not in out + err
    assert "environment variable" in err
    assert holding(tmp_path, KEY) == []


@pytest.mark.parametrize("key", ["sk-with space", "sk-new\nline", "sk-ключ"])
def test_a_key_that_no_header_can_hold_is_not_repeated(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    task = text_task()
    with pytest.raises(BenchError, match="The environment variable OPENAI_API_KEY has") as raised:
        classifier(server, task).predict(task.frame)
    assert key not in str(raised.value)
    assert server.bodies == []


@pytest.mark.parametrize("reply", [Reply("$AUTHORIZATION", 401), Reply("$AUTHORIZATION"), Reply("$AUTHORIZATION", 500)])
def test_a_server_that_repeats_the_key_does_not_bring_it_into_the_error(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.reply = lambda request: reply
    task = text_task()
    with pytest.raises(BenchError, match=r"Bearer \[key\]") as raised:
        classifier(server, task, retries=0).predict(task.frame)
    assert KEY not in str(raised.value)


def bench_run(folder: Path, *words: str, key: str) -> tuple[int, str]:
    """`bench run` in a process of its own, with a key in its environment; its exit status and all it printed."""
    environment = os.environ | {"OPENAI_API_KEY": key, "BENCH_CACHE": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    environment |= {"NO_PROXY": "127.0.0.1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def own_task(folder: Path) -> None:
    """A small task in a folder of the user's own."""
    examples = text_task(n_groups=3, per_group=6, noise=0.0).examples
    (folder / "tasks" / "mine").mkdir(parents=True)
    examples.to_csv(folder / "tasks" / "mine" / "labels.csv", index=False)
    shutil.copytree(ROOT / "configs", folder / "configs")
    (folder / "tasks" / "mine" / "task.yaml").write_text(TASK, encoding="utf-8")


TASK = """\
name: mine
version: 1
description: Texts with a cue word.
source: {kind: table, path: labels.csv, columns: {id: id, text: text, label: label, group: document}}
inputs: [text]
labels: [denial, non_confirmation, none]
group: group
metric: macro_f1
"""


def holding(folder: Path, text: str) -> list[str]:
    """The names of the files that hold a text, also in what is packed into them."""
    found = []
    for path in filter(Path.is_file, folder.rglob("*")):
        contents = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
        if any(text.encode() in content for content in contents):
            found.append(path.name)
    return found


@pytest.mark.slow
def test_no_key_is_left_in_any_file_or_word_by_a_whole_run_that_succeeds_and_one_that_is_refused(
    tmp_path: Path,
) -> None:
    own_task(tmp_path)

    def repeats_the_key(request: dict[str, Any]) -> Reply:
        body = json.loads(by_cue(request).body) | {"headers": "$AUTHORIZATION"}
        return Reply(json.dumps(body))

    with ChatServer(repeats_the_key) as server:
        words = ("task=mine", "model=llm", "model.params.model=m", f"model.params.base_url='{server.url}'")
        status, printed = bench_run(tmp_path, *words, key=KEY)
        assert status == 0, printed
        assert all(headers["Authorization"] == f"Bearer {KEY}" for headers in server.headers)
        assert len(server.bodies) == 18
        assert KEY not in printed
        assert holding(tmp_path, KEY) == []
        assert {"mlflow.db", "model.skops", "responses.sqlite"} <= {path.name for path in tmp_path.rglob("*")}
        assert "responses.sqlite" in holding(tmp_path, "Bearer [key]")

        # The folds that follow come from the cache, without a call.
        status, printed = bench_run(tmp_path, *words, "force=true", "tracking=false", key=KEY)
        assert (status, len(server.bodies)) == (0, 18), printed

        server.reply = lambda request: Reply("Bad credentials: $AUTHORIZATION", 401)
        status, printed = bench_run(tmp_path, *words, "model.params.seed=1", key=KEY)
        assert status == 1, printed
        assert "status 401: Bad credentials: Bearer [key]" in " ".join(printed.split())
        assert KEY not in printed
        assert holding(tmp_path, KEY) == []
        assert "error.txt" in holding(tmp_path, "Bearer [key]")
