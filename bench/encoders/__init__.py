"""Sentence encoders: by name, with pinned weights, and never embedding a text twice."""

from bench.encoders.definition import EncoderDefinition
from bench.encoders.embeddings import embed
from bench.encoders.registry import encoder_names, find_encoder
from bench.encoders.weights import weights_folder

__all__ = ["EncoderDefinition", "embed", "encoder_names", "find_encoder", "weights_folder"]
