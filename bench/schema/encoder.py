"""What a file of ``configs/encoder/`` may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from bench.schema.check import SAID, Declared, expects
from bench.schema.model import Text

Filled = Annotated[str, Field(min_length=1), expects("text")]
FORMS = "Write source: {hub: owner/name, revision: COMMIT}, {folder: PATH} or {package: NAME, adapter: pkg.Class}."


class EncoderHub(Declared):
    """A repository on the Hugging Face hub at one commit."""

    tag = "\0hub"
    form = FORMS

    hub: Filled = Field(description="The repository: owner/name.")
    revision: Annotated[
        str,
        Field(pattern=r"^[0-9a-f]{40}$"),
        expects(
            "a commit, by its 40 hexadecimal digits", "A branch or a tag can change under a stored result. " + FORMS
        ),
    ] = Field(description="The commit.")


class FolderSource(Declared):
    """A folder with weights."""

    tag = "\0folder"
    form = FORMS

    folder: Filled = Field(description="Its path, from the current folder or that of fetched weights.")
    hint: Text = Field("", description="How to get it, printed where it is missing.")


class PackageSource(Declared):
    """A Python package that carries its weights."""

    tag = "\0package"
    form = FORMS

    package: Filled = Field(description="Its name as pip knows it.")
    adapter: Filled = Field(description="The import path of the class that encodes.")
    install: Text = Field("", description="What to give to pip install where it is missing.")


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
            "message": ": it says where the weights come from, by one of the keys hub, folder and package.",
            "hint": FORMS,
        },
    ),
]


class EncoderFile(Declared):
    """A sentence encoder: where its weights come from, and how a text goes in and a vector comes out."""

    name: Text = Field(description="As in features.encoder: NAME; the file has the same name.")
    description: Text = Field("", description="One line on what it is.")
    source: Source = Field(description="Where its weights come from.")
    pooling: Annotated[Literal["mean", "cls"], expects("one of mean, cls")] = Field(
        "mean", description="How a text's vector is made of its tokens' vectors."
    )
    prefix: Annotated[str, expects("text", 'Write prefix: "...".')] = Field(
        "", description="What stands before every text."
    )
    dimensions: Annotated[int | None, Field(ge=1), expects("a whole number, at least 1")] = Field(
        None, description="The length of its vectors; without it, what its weights say."
    )
    licence: Text = Field("", description="The licence of the weights.")
