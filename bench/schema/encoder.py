"""The schema of files in ``configs/encoder/``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from bench.schema.check import SAID, Declared, expects
from bench.schema.model import Text

Filled = Annotated[str, Field(min_length=1), expects("text")]
FORMS = "Write source: {hub: owner/name, revision: COMMIT}, {folder: PATH} or {package: NAME, adapter: pkg.Class}."


class EncoderHub(Declared):
    """A repository on the Hugging Face Hub at a fixed commit."""

    tag = "\0hub"
    form = FORMS

    hub: Filled = Field(description="The repository: owner/name.")
    revision: Annotated[
        str,
        Field(pattern=r"^[0-9a-f]{40}$"),
        expects(
            "a commit, by its 40 hexadecimal digits", "A branch or tag can change after a result is stored. " + FORMS
        ),
    ] = Field(description="The commit.")


class FolderSource(Declared):
    """A folder with weights."""

    tag = "\0folder"
    form = FORMS

    folder: Filled = Field(description="Its path, relative to the current folder or the folder of downloaded weights.")
    hint: Text = Field("", description="How to get it, printed if it is missing.")
    maker: Text = Field(
        "", description="The import path of a function that fills the folder, for bench encoders fetch."
    )


class PackageSource(Declared):
    """A Python package that includes its weights."""

    tag = "\0package"
    form = FORMS

    package: Filled = Field(description="Its name for pip.")
    adapter: Filled = Field(description="The import path of the encoder class.")
    install: Text = Field("", description="The argument of pip install, if it is missing.")


def _kind(source: Any) -> str | None:
    """The tag of the kind of source that a mapping is."""
    return next(
        (f"\0{key}" for key in ("hub", "folder", "package") if isinstance(source, dict) and key in source), None
    )


Source = Annotated[
    Annotated[EncoderHub, Tag(EncoderHub.tag)]
    | Annotated[FolderSource, Tag(FolderSource.tag)]
    | Annotated[PackageSource, Tag(PackageSource.tag)],
    Discriminator(
        _kind,
        custom_error_type=SAID,
        custom_error_message="{message}",
        custom_error_context={
            "message": ": set exactly one of the keys hub, folder and package.",
            "hint": FORMS,
        },
    ),
]


class EncoderFile(Declared):
    """A sentence encoder: the source of its weights, and how it turns a text into a vector."""

    name: Text = Field(description="The name in features.encoder: NAME, and of the file.")
    description: Text = Field("", description="A one-line description.")
    source: Source = Field(description="The source of its weights.")
    pooling: Annotated[Literal["mean", "cls"], expects("one of mean, cls")] = Field(
        "mean", description="How to combine the tokens' vectors into the text's vector."
    )
    prefix: Annotated[str, expects("text", 'Write prefix: "...".')] = Field("", description="The prefix of every text.")
    dimensions: Annotated[int | None, Field(ge=1), expects("a whole number, at least 1")] = Field(
        None, description="The length of its vectors; by default, read from its weights."
    )
    licence: Text = Field("", description="The licence of the weights.")
