"""Inspect a skops file before any object in it is created.

skops builds whatever objects a file names, provided that the caller trusts their names. That leaves open which values
they are given and what is called with them. Here each entry of the archive and each node of its schema is compared with
a list of allowed parts of fitted models. All else is rejected, and so is every kind of node that calls code of the
file's choice.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from typing import TYPE_CHECKING, Any

from numpy.lib import format as npy

from bench.models.parts import (
    BIT_GENERATORS,
    CONSTRUCTED,
    KEYS,
    LOSSES,
    MAPPINGS,
    SCALARS,
    SPARSE,
    TYPES,
    find_class,
    is_function,
    is_part,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import IO

SCHEMA = "schema.json"
"""The archive's entry with the schema."""

FEWEST_EXPANDED, MOST_EXPANSION = 64 * 2**20, 200
"""The most bytes of a decompressed array in memory, or times its size in the file, if larger."""

MOST_JOBS = 256
"""The most processes that a part of a model may request."""

_SHOWN = 160
"""Characters of a name that a message shows."""

_ENTRY = re.compile(r"schema\.json|[0-9a-f-]+\.(npy|npz|bin)")
_SPARSE_ENTRY = re.compile(r"(data|indices|indptr|row|col|coords|offsets|shape|format|_is_array)\.npy")
_SEED_KEYS = {"entropy", "spawn_key", "pool_size", "n_children_spawned"}
_SEED_WORDS = 64

_COLLECTIONS = {"ListNode": "builtins.list", "SetNode": "builtins.set", "TupleNode": "builtins.tuple"}
_BYTES = {"BytesNode": "builtins.bytes", "BytearrayNode": "builtins.bytearray"}

Node = dict[str, Any]


class Inspection:
    """Everything that a skops file would create, inspected without creating it.

    Parameters
    ----------
    data : bytes
        The file.
    classes : mapping of str to type
        Allowed classes in addition to the harmless parts, by the name under which they are stored.
    encoders : collection of str
        Folders that may be read as encoders; an encoder that is named in ``configs/encoder/`` always may.
    functions : collection of str
        Functions that may stand as values besides the harmless ones.

    Attributes
    ----------
    root : dict
        The node of the whole.
    types : set of str
        What the file names.
    refused : list of str
        Forbidden parts, each with the reason; empty if `visit` found none.

    Raises
    ------
    ValueError, KeyError, TypeError, zipfile.BadZipFile
        If it is not a skops file.
    """

    def __init__(
        self,
        data: bytes,
        classes: Mapping[str, type],
        encoders: Collection[str] = (),
        functions: Collection[str] = (),
    ) -> None:
        self._classes, self._encoders, self._functions = classes, encoders, functions
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        _check_entries(self._archive, len(data))
        self.root: Node = json.loads(self._archive.read(SCHEMA))
        self.types: set[str] = set()
        self.refused: list[str] = []
        self._numbers: dict[object, int] = {}
        self._known: dict[object, int] = {}
        if self.root.get("protocol") != current_protocol():
            raise ValueError("it was written by another version of skops")

    def visit(self, node: Node) -> int:
        """Look at a node and all below it.

        Parameters
        ----------
        node : dict
            A node of the schema.

        Returns
        -------
        int
            Equal for equal nodes, whatever numbers are in their arrays.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is not as skops writes it.
        """
        loader, name = str(node["__loader__"]), f"{node['__module__']}.{node['__class__']}"
        self.types.add(name)
        content = (loader, name, *self._content(loader, name, node))
        number = self._numbers.setdefault(content, len(self._numbers))
        # skops replaces a node by an earlier one with the same number, whatever its content.
        if (identity := node.get("__id__")) and self._known.setdefault(identity, number) != number:
            self._refuse("two different parts with one number", "skops would confuse them")
        return number

    def _content(self, loader: str, name: str, node: Node) -> tuple[object, ...]:
        if loader in _COLLECTIONS:
            self._expect(name, {_COLLECTIONS[loader]}, "it is not a plain list, set or tuple")
            return tuple(self.visit(each) for each in node["content"])
        if loader in _BYTES:
            self._expect(name, {_BYTES[loader]}, "it is not a plain sequence of bytes")
            self._archive.getinfo(node["file"])
            return ()
        if loader not in _LOOKS:
            self._refuse(name, f"a {loader} can call what the file names")
            return ()
        return _LOOKS[loader](self, name, node)

    def _json(self, name: str, node: Node) -> tuple[object, ...]:
        content = node["content"]
        json.loads(content)
        return (content,)

    def _dict(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, MAPPINGS, "it is not a plain mapping")
        if node["key_types"]["__loader__"] != "ListNode":
            self._refuse(node["key_types"]["__loader__"], "it is not a list of key types")
        for kind in node["key_types"]["content"]:
            self._expect(f"{kind['__module__']}.{kind['__class__']}", KEYS, "it is not a key type")
            if kind["__loader__"] != "TypeNode":
                self._refuse(kind["__loader__"], "it is not a key type")
        content = node["content"].items()
        return self.visit(node["key_types"]), *((key, self.visit(value)) for key, value in content)

    def _defaultdict(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, {"collections.defaultdict"}, "it is not a plain mapping")
        factory, main = node["content"]["default_factory"], node["content"]["main"]
        if factory["__loader__"] not in ("TypeNode", "JsonNode"):
            self._refuse(factory["__loader__"], "it makes default values")
        return self.visit(main), self.visit(factory)

    def _slice(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, {"builtins.slice"}, "it is not a plain slice")
        return tuple(json.dumps(node["content"][each]) for each in ("start", "stop", "step"))

    def _type(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, TYPES, "it is not a plain type")
        return ()

    def _function(self, name: str, node: Node) -> tuple[object, ...]:
        if not is_function(name) and name not in self._functions:
            self._refuse(name, "functions are not loaded")
        return ()

    def _constructed(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, CONSTRUCTED, "it would be created with arguments from the file")
        return (self.visit(node["content"]),)

    def _loss(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, LOSSES, "it is not a scikit-learn loss function")
        return self.visit(node["content"]), self.visit(node["__reduce__"]["args"])

    def _tree(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, {"sklearn.tree._tree.Tree"}, "it is not a scikit-learn tree")
        self.types.add("sklearn.tree._tree.Tree")
        return self.visit(node["content"]), self.visit(node["__reduce__"]["args"])

    def _random_state(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, {"numpy.random.mtrand.RandomState"}, "it is not a random generator")
        return (self.visit(node["content"]),)

    def _generator(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, {"numpy.random._generator.Generator"}, "it is not a random generator")
        state, seed = (node["content"][key] for key in ("bit_generator", "seed_seq"))
        if (kind := json.loads(state["content"]["bit_generator"]["content"])) not in BIT_GENERATORS:
            self._refuse(f"numpy.random.{kind}", "it is not a random generator")
        words = json.loads(seed["content"]["pool_size"]["content"])
        if set(seed["content"]) - _SEED_KEYS or not isinstance(words, int) or words > _SEED_WORDS:
            self._refuse("a seed", "it is not a NumPy seed")
        return self.visit(state), self.visit(seed)

    def _dtype(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, {"numpy.dtype"}, "it is not an array type")
        if node["content"]["__loader__"] != "NdArrayNode":
            self._refuse(node["content"]["__loader__"], "it is not an array type")
        return (self.visit(node["content"]),)

    def _array(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, {"numpy.ndarray", *SCALARS}, "it is not a plain array")
        if node["type"] == "json":
            return *(self.visit(each) for each in node["content"]), self.visit(node["shape"])
        entry = self._archive.getinfo(node["file"])
        with self._archive.open(entry) as file:
            check_array(file, entry.file_size)
        return ()

    def _masked_array(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, {"numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"}, "it is not a plain array")
        return self.visit(node["content"]["data"]), self.visit(node["content"]["mask"])

    def _sparse_matrix(self, name: str, node: Node) -> tuple[object, ...]:
        self._expect(name, SPARSE, "it is not a sparse matrix")
        check_sparse(self._archive.read(node["file"]))
        return ()

    def _object(self, name: str, node: Node) -> tuple[object, ...]:
        state = node.get("content")
        found = self._class(name)
        if found is not None:
            for parameter in getattr(found, "encoder_params", ()):
                self._check_encoder(name, parameter, state)
        if isinstance(jobs := _plain(state, "n_jobs"), int) and jobs > MOST_JOBS:
            self._refuse(f"{name} with {jobs} processes", f"at most {MOST_JOBS} are started")
        if state is None:
            return ()
        if state["__loader__"] not in ("DictNode", "TupleNode", "JsonNode"):
            self._refuse(f"{name} with a {state['__loader__']} for its state", "its state is not a plain value")
        return (self.visit(state),)

    def _class(self, name: str) -> type | None:
        if name in self._classes:
            return self._classes[name]
        if not is_part(name):
            self._refuse(name, "the local model definition does not name it")
            return None
        try:
            return find_class(name)
        except LookupError as error:
            self._refuse(name, str(error))
            return None

    def _check_encoder(self, name: str, parameter: str, state: Node | None) -> None:
        value = _plain(state, parameter)
        if value is None:
            return
        if not isinstance(value, str) or (re.search(r"[/\\]", value) and value not in self._encoders):
            shown = value if isinstance(value, str) else "something other than a name"
            self._refuse(f"{name} over the encoder {shown}", "a folder is read only if you name it yourself")

    def _expect(self, name: str, known: Collection[str], reason: str) -> None:
        if name not in known:
            self._refuse(name, reason)

    def _refuse(self, what: str, reason: str) -> None:
        line = f"{shown(what)} ({reason})"
        if line not in self.refused:
            self.refused.append(line)


_LOOKS: dict[str, Callable[[Inspection, str, Node], tuple[object, ...]]] = {
    "JsonNode": Inspection._json,
    "DictNode": Inspection._dict,
    "DefaultDictNode": Inspection._defaultdict,
    "SliceNode": Inspection._slice,
    "TypeNode": Inspection._type,
    "FunctionNode": Inspection._function,
    "ConstructorFromReduceNode": Inspection._constructed,
    "LossNode": Inspection._loss,
    "TreeNode": Inspection._tree,
    "RandomStateNode": Inspection._random_state,
    "RandomGeneratorNode": Inspection._generator,
    "DTypeNode": Inspection._dtype,
    "NdArrayNode": Inspection._array,
    "MaskedArrayNode": Inspection._masked_array,
    "SparseMatrixNode": Inspection._sparse_matrix,
    "ObjectNode": Inspection._object,
}
"""The allowed kinds of nodes, each with the function that inspects it and returns its content."""


def shown(text: str) -> str:
    r"""Text from a file for a message: short, and without control sequences.

    Examples
    --------
    >>> shown("os.\x1b[2Jsystem")
    'os.\\x1b[2Jsystem'
    """
    plain = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[:_SHOWN])
    return plain + "…" * (len(text) > _SHOWN)


def _plain(state: Node | None, name: str) -> Any:
    """A value of an object's state, or its node if it is not a plain value; None if there is none."""
    stored = state["content"].get(name) if state is not None and state["__loader__"] == "DictNode" else None
    return json.loads(stored["content"]) if stored is not None and stored["__loader__"] == "JsonNode" else stored


def current_protocol() -> int:
    """The version of the format that skops writes here."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(0))) as archive:
        return int(json.loads(archive.read(SCHEMA))["protocol"])


def check_array(file: IO[bytes], size: int) -> None:
    """Check that an array's file contains numbers, text or times, and as many as declared.

    Parameters
    ----------
    file : binary file
        In NumPy's format.
    size : int
        Its length in bytes.

    Raises
    ------
    ValueError
        If it does not.
    """
    version = npy.read_magic(file)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"an array in version {version} of NumPy's format")
    shape, _, dtype = readers[version](file)
    if dtype.hasobject:
        raise ValueError("an array of pickled objects")
    if math.prod(shape) * dtype.itemsize != size - file.tell():
        raise ValueError("an array whose size differs from the declared one")


def check_sparse(data: bytes) -> None:
    """Check that a sparse matrix is valid: plain arrays, indices in range, and no memory bomb.

    Raises
    ------
    ValueError
        If it is not.
    """
    from scipy import sparse

    limit = max(FEWEST_EXPANDED, MOST_EXPANSION * len(data))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if len({entry.filename for entry in entries}) != len(entries):
            raise ValueError("a sparse matrix with two parts of one name")
        if sum(entry.file_size for entry in entries) > limit:
            raise ValueError("a sparse matrix that needs far more memory than its file")
        for entry in entries:
            if not _SPARSE_ENTRY.fullmatch(entry.filename):
                raise ValueError("a sparse matrix with unknown parts")
            with archive.open(entry) as file:
                check_array(file, entry.file_size)
        with archive.open("format.npy") as file:
            form = npy.read_array(file, allow_pickle=False).item()
    form = form.decode("ascii") if isinstance(form, bytes) else form
    if form not in ("bsr", "coo", "csc", "csr", "dia"):
        raise ValueError(f"a sparse matrix in the format {form!r}")
    matrix = sparse.load_npz(io.BytesIO(data))
    if hasattr(matrix, "check_format"):
        matrix.check_format(full_check=True)


def _check_entries(archive: zipfile.ZipFile, size: int) -> None:
    """Check that the archive has only entries that skops writes, uncompressed, so that it cannot grow."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if strange := [name for name in names if not _ENTRY.fullmatch(name)]:
        raise ValueError(f"the archive has an entry {strange[0]!r}")
    if len(set(names)) != len(names):
        raise ValueError("the archive has two entries of one name")
    if any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 for entry in entries):
        raise ValueError("the archive has entries that are compressed or encrypted")
    if sum(entry.file_size for entry in entries) > size:
        raise ValueError("the archive has entries that overlap")
