"""Content credentials: every edited file says, signed, what it was made from and by what.

The manifest follows C2PA: the target footage is opened, a trained model edits it with the new
speech as input, and the file's own bytes are hashed and signed. Of the ingredients only names and
SHA-256 are kept, not the media; credentials that an ingredient bears itself are carried along.
"""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from hashlib import file_digest
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import ConfigurationError, FootageError
from talkin.files import replace_when_whole
from talkin.provenance.signing import SigningIdentity, load_identity

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# Nothing is fetched from addresses that a stranger's file names. Files are hashed by the megabyte
# and never held whole: as it comes, the library took twice the size of a video in memory.
C2PA_SETTINGS: dict[str, Any] = {
    "core": {"backing_store_memory_threshold_in_mb": 16, "merkle_tree_chunk_size_in_kb": 1024},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
_FORMATS = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".avi": "video/avi",
    ".m4a": "audio/mp4", ".wav": "audio/wav", ".mp3": "audio/mpeg", ".flac": "audio/flac",
}  # fmt: skip


class Ingredient(BaseModel):
    """Something an edit was made from; give its path, or its hash and a title."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["target", "audio"] = Field(description="Footage that was edited, or new speech.")
    path: Path | None = Field(default=None, description="The file; only its name is written down.")
    sha256: str = Field(default="", description="Of the file; found out where it is empty.")
    title: str = Field(default="", description="What to call it; the file's name where empty.")


class EditCredential(BaseModel):
    """What the manifest of an edit says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ingredients: tuple[Ingredient, ...] = Field(description="The target first.")
    model_name: str = Field(default="talking_face", description="Of the trained networks.")
    model_version: str = Field(
        description="Version in the registry, or the first digits of the weights' SHA-256."
    )
    time: datetime | None = Field(default=None, description="When it was edited; None for now.")
    software: str = Field(default="talkin", description="Program that made the edit.")
    source_type: str = Field(
        default="compositeWithTrainedAlgorithmicMedia",
        pattern="[A-Za-z]+",
        description="IPTC digital source type of the result.",
    )
    is_watermarked: bool = Field(
        default=False, description="Whether the frames bear the mark of `provenance.watermark`."
    )


def sign_edit(
    path: Path, credential: EditCredential, signer: SigningIdentity | None = None
) -> SigningIdentity:
    """Sign an edited file in place.

    The signed file takes the unsigned one's place in one step. If signing fails for whatever
    reason, the unsigned edit is deleted: an edit without credentials is never left as a result.
    (Only killing the process outright can leave it; `signed_when_whole` prevents that too.)

    Args:
        path: The mp4 to sign.
        credential: What to say.
        signer: Who signs; None for the local self-signed pair.

    Returns:
        Who signed.

    Raises:
        FootageError: If it cannot be signed or written.
        ConfigurationError: If there is no key, or an ingredient has neither path nor hash.
    """
    try:
        return _sign(path, path, credential, signer)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def signed_when_whole(
    path: Path, credential: EditCredential, signer: SigningIdentity | None = None
) -> Iterator[Path]:
    """Give a path to write an edit to; signed, it takes the place of `path` in one step.

    Whatever fails, writing or signing, an older `path` stays as it was and no unsigned edit is
    left.

    Args:
        path: Where the signed file shall stand.
        credential: What to say.
        signer: Who signs; None for the local self-signed pair.

    Yields:
        A hidden path beside `path`, with the same suffix.

    Raises:
        FootageError: If it cannot be signed or written.
        ConfigurationError: If there is no key, or an ingredient has neither path nor hash.
    """
    signer = signer or load_identity()  # a missing key is told before the work, not after it
    unsigned = path.with_name(f".{path.stem}.{uuid4().hex[:8]}.unsigned{path.suffix}")
    try:
        yield unsigned
        _sign(unsigned, path, credential, signer)
    finally:
        unsigned.unlink(missing_ok=True)


def manifest_definition(credential: EditCredential, title: str) -> dict[str, Any]:
    """The manifest as C2PA's library takes it, without its ingredients."""
    when = (credential.time or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
    common = {"when": when.replace("+00:00", "Z")}
    roles = [(number, item.role) for number, item in enumerate(credential.ingredients)]
    targets = [_label(number) for number, role in roles if role == "target"]
    others = [_label(number) for number, role in roles if role != "target"]
    edited: dict[str, Any] = {
        "action": "c2pa.edited",
        "description": "The mouth was made to speak the given audio.",
        "digitalSourceType": SOURCE_TYPES + credential.source_type,
        "softwareAgent": {"name": credential.model_name, "version": credential.model_version},
    }
    if others:
        edited["parameters"] = {"ingredientIds": others}
    actions: list[dict[str, Any]] = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": targets}} | common,
        edited | common,
    ]
    if credential.is_watermarked:
        actions.append({"action": "c2pa.watermarked.unbound"} | common)
    return {
        "claim_generator_info": [{"name": credential.software, "version": version("talkin")}],
        "title": title,
        "format": "video/mp4",
        "assertions": [{"label": "c2pa.actions", "data": {"actions": actions}}],
    }


def _sign(
    source: Path, goal: Path, credential: EditCredential, signer: SigningIdentity | None
) -> SigningIdentity:
    import c2pa

    if sum(item.role == "target" for item in credential.ingredients) != 1:
        raise ConfigurationError("an edit has exactly one ingredient whose role is target")
    signer = signer or load_identity()
    try:
        with (
            c2pa.Context.from_dict(C2PA_SETTINGS) as context,
            c2pa.Builder(manifest_definition(credential, goal.name), context=context) as builder,
            c2pa.Signer.from_info(
                c2pa.C2paSignerInfo(
                    signer.algorithm, signer.chain, signer.key, signer.timestamp_url
                )
            ) as pen,
            replace_when_whole(goal) as part,
        ):
            for number, item in enumerate(credential.ingredients):
                _add(builder, item, _label(number))
            with source.open("rb") as unsigned, part.open("w+b") as signed:
                builder.sign(pen, "video/mp4", unsigned, signed)
    except (c2pa.C2paError, OSError) as error:
        raise FootageError(
            f"{goal}: the edit cannot be signed, and no unsigned one is kept: {error}"
        ) from error
    return signer


def _add(builder: Any, item: Ingredient, label: str) -> None:
    import c2pa

    if item.path is None and not (item.sha256 and item.title):
        raise ConfigurationError(f"ingredient {item.role}: give its path, or `sha256` and `title`")
    description = {
        "title": item.title or (item.path.name if item.path else ""),
        "label": label,
        "relationship": "parentOf" if item.role == "target" else "inputTo",
        "metadata": {"role": item.role, "sha256": item.sha256 or _sha256(item.path)},
    }
    form = _FORMATS.get(item.path.suffix.lower(), "") if item.path else ""
    if item.path is not None and form:
        # A broken file of a known format is told by its hash alone, like those of unknown ones.
        with contextlib.suppress(c2pa.C2paError), item.path.open("rb") as file:
            builder.add_ingredient(description, form, file)
            return
    builder.add_ingredient(description, "application/octet-stream", BytesIO())


def _label(number: int) -> str:
    return f"ingredient{number}"


def _sha256(path: Path | None) -> str:
    if path is None:
        return ""
    status = path.stat()
    return _digest(path.resolve(), status.st_size, status.st_mtime_ns)


@cache
def _digest(path: Path, size: int, changed_ns: int) -> str:
    """A target that is edited many times is read once."""
    del size, changed_ns
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
