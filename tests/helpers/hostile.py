"""Make skops files that try to run code, node by node, as somebody who edits one by hand would."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Node = dict[str, Any]

_numbers = itertools.count(1)


def node(loader: str, name: str, **rest: Any) -> Node:
    """Any node: what builds it, of what class, and whatever else it says."""
    module, _, short = name.rpartition(".")
    return {"__class__": short, "__module__": module, "__loader__": loader, "__id__": next(_numbers), **rest}


def value(plain: Any) -> Node:
    """A plain value: text, a number, a list, a tuple or a mapping of those, or a node as it is."""
    if isinstance(plain, Mapping):
        if "__loader__" in plain:
            return dict(plain)
        return mapping(plain)
    if isinstance(plain, list | tuple):
        kind = type(plain).__name__
        return node(f"{kind.capitalize()}Node", f"builtins.{kind}", content=[value(each) for each in plain])
    return node("JsonNode", "builtins.str", content=json.dumps(plain), is_json=True)


def mapping(content: Mapping[str, Any], keys: str = "builtins.str", kind: str = "builtins.dict") -> Node:
    """A mapping; skops calls the type of a key with its text."""
    types = node("ListNode", "builtins.list", content=[node("TypeNode", keys) for _ in content])
    values = {key: value(each) for key, each in content.items()}
    return node("DictNode", kind, content=values, key_types=types)


def instance(name: str, **state: Any) -> Node:
    """An object with a state."""
    return node("ObjectNode", name, content=mapping(state))


def function(name: str) -> Node:
    return node("FunctionNode", name)


def constructed(name: str, *arguments: Any) -> Node:
    """A class that is called with arguments."""
    return node("ConstructorFromReduceNode", name, content=value(arguments))


def partial(called: Node, *arguments: Any) -> Node:
    content = {"func": called, "args": value(arguments), "kwds": value({}), "namespace": value(None)}
    return node("PartialNode", "functools.partial", content=content)


def operator(name: str, *arguments: Any) -> Node:
    return node("OperatorFuncNode", f"operator.{name}", attrs=value(arguments))


def method(owner: Node, name: str) -> Node:
    return node("MethodNode", f"{owner['__module__']}.{owner['__class__']}", content={"func": name, "obj": owner})


def array(file: str, name: str = "numpy.ndarray") -> Node:
    return node("NdArrayNode", name, type="numpy", file=file)


def npy(content: Any, **settings: Any) -> bytes:
    """An array's file."""
    made = io.BytesIO()
    np.save(made, content, **settings)
    return made.getvalue()


def edited(data: bytes, edit: Callable[[Node], Node | None], files: Mapping[str, bytes] | None = None) -> bytes:
    """A skops file with another schema: what `edit` returns, or what it made of the one that it is given."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        schema = json.loads(old.read("schema.json"))
        root = edit(schema) or schema
        for name in old.namelist():
            if name != "schema.json":
                new.writestr(name, old.read(name))
        for name, content in (files or {}).items():
            new.writestr(name, content)
        new.writestr("schema.json", json.dumps({"protocol": schema["protocol"], **root}))
    return made.getvalue()


def planted(data: bytes, guest: Node, files: Mapping[str, bytes] | None = None) -> bytes:
    """A stored model with one more attribute."""

    def plant(root: Node) -> None:
        state = root["content"]
        state["content"]["planted"] = guest
        state["key_types"]["content"].append(node("TypeNode", "builtins.str"))

    return edited(data, plant, files)


def as_estimator(data: bytes, guest: Node, files: Mapping[str, bytes] | None = None) -> bytes:
    """A stored model with another estimator behind its features."""

    def swap(root: Node) -> None:
        root["content"]["content"]["steps"]["content"][1]["content"][1] = guest

    return edited(data, swap, files)


def as_features(data: bytes, guest: Node, files: Mapping[str, bytes] | None = None) -> bytes:
    """A stored model with other features before its estimator."""

    def swap(root: Node) -> None:
        root["content"]["content"]["steps"]["content"][0]["content"][1] = guest

    return edited(data, swap, files)
