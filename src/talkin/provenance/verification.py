"""What a file's content credentials say, and whether they hold."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from talkin.errors import ConfigurationError, FootageError
from talkin.provenance.credentials import C2PA_SETTINGS
from talkin.provenance.signing import SigningIdentity, local_identity
from talkin.provenance.statement import Statement, printable, read_statement
from talkin.provenance.watermark import MarkScore

# The box in which an mp4 holds its manifest (C2PA 2.2, A.5.1).
_C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
# Matroska and WebM, MPEG program streams, Ogg, Flash; transport streams have a byte a packet.
_HEADS_WITHOUT_PLACE = (b"\x1aE\xdf\xa3", b"\0\0\1\xba", b"OggS", b"FLV\1")
_TS_PACKET, _TS_SYNC = 188, 0x47
_BLOCK = 1 << 20
_MADE_BY_MODEL = ("compositeWithTrainedAlgorithmicMedia", "trainedAlgorithmicMedia")
_UNTRUSTED = "signingCredential.untrusted"

State = Literal["edited", "signed", "tampered", "unmarked"]


@dataclass(frozen=True)
class Verification:
    """The answer to "is this file edited, and is it as its editor left it?".

    Attributes:
        path: The file.
        state: `edited`: a manifest holds and says that a trained model edited the file; `signed`:
            a manifest holds and says nothing of the kind; `tampered`: there is a manifest, but
            the file or the manifest were changed or damaged; `unmarked`: no manifest.
        trust: Whether the signer is known: `this computer`, `trusted` (on a given list),
            `unknown`, or `none` where nothing holds.
        statement: What the manifest says; None where there is none that can be read.
        problems: What does not hold, in the words of C2PA.
        mark: What was found of the invisible mark; None if it was not looked for.
    """

    path: Path
    state: State
    trust: Literal["this computer", "trusted", "unknown", "none"]
    statement: Statement | None
    problems: tuple[str, ...]
    mark: MarkScore | None = None

    @property
    def holds(self) -> bool:
        """Whether a manifest is there and holds."""
        return self.state in {"edited", "signed"}

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"path": str(self.path), "holds": self.holds}

    def in_words(self) -> list[str]:
        """Lines for the user."""
        return [
            f"{printable(self.path)}: {_VERDICTS[self.state]}",
            *_about_mark(self),
            *_about_statement(self),
            *(f"What does not hold: {problem}" for problem in self.problems),
        ]


_VERDICTS: dict[State, str] = {
    "edited": "EDITED by a trained model, and unchanged since it was signed.",
    "signed": "signed and unchanged since; its credentials do not speak of a trained model.",
    "tampered": "TAMPERED WITH or damaged: it bears credentials, but they do not hold.",
    "unmarked": "no content credentials. This says nothing about where the file comes from.",
}
_TRUST = {
    "this computer": "the self-signed certificate of this computer",
    "trusted": "a certificate on the given list of trusted ones",
    "unknown": "a certificate that nobody here vouches for: who signed it is not certain",
    "none": "not to be relied on, because the credentials do not hold",
}


def verify(
    path: Path, trusted: Path | None = None, local: SigningIdentity | None = None
) -> Verification:
    """Check a file's content credentials, without asking the network.

    Args:
        path: The file.
        trusted: PEM file of root certificates whose signers are trusted.
        local: This computer's own signer; None looks it up.

    Raises:
        FootageError: If there is no such file, or it is no media file at all.
        ConfigurationError: If `trusted` cannot be read.
    """
    import c2pa

    if not path.is_file():
        raise FootageError(f"{path}: there is no such file")
    local = local or local_identity()
    context = _context(trusted, local)
    try:
        with (
            context,
            path.open("rb") as file,
            c2pa.Reader(None, file, context=context) as reader,
        ):
            store = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return Verification(path, "unmarked", "none", None, ())
    except c2pa.C2paError as error:
        return _unreadable(path, printable(str(error)))
    return _verification(path, store, local)


def _unreadable(path: Path, reason: str) -> Verification:
    """A damaged manifest, a file without one, and a container that has none fail alike."""
    if _bears_c2pa_box(path):
        return Verification(path, "tampered", "none", None, (reason,))
    if _is_without_place(path):
        return Verification(path, "unmarked", "none", None, ())
    raise FootageError(f"{path}: no video, sound or picture file that can be read ({reason})")


def _is_without_place(path: Path) -> bool:
    """Whether it is a film in a container in which C2PA has no place."""
    with path.open("rb") as file:
        head = file.read(_TS_PACKET + 1)
    is_stream = len(head) > _TS_PACKET and head[0] == head[_TS_PACKET] == _TS_SYNC
    return is_stream or head.startswith(_HEADS_WITHOUT_PLACE)


def _bears_c2pa_box(path: Path) -> bool:
    with path.open("rb") as file:
        before = b""
        while block := file.read(_BLOCK):
            if _C2PA_BOX in before + block:
                return True
            before = block[-len(_C2PA_BOX) :]
    return False


def _context(trusted: Path | None, local: SigningIdentity | None) -> Any:
    """The library's settings with the certificates that are believed."""
    import c2pa

    try:
        listed = trusted.read_text(encoding="utf-8") if trusted else ""
        anchors = (local.chain.decode() if local else "") + listed
        settings = C2PA_SETTINGS | ({"trust": {"user_anchors": anchors}} if anchors else {})
        return c2pa.Context.from_dict(settings)
    except (c2pa.C2paError, OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{trusted}: no PEM file of certificates: {error}") from error


def _verification(
    path: Path, store: Mapping[str, Any], local: SigningIdentity | None
) -> Verification:
    manifest = store.get("manifests", {}).get(store.get("active_manifest"), {})
    state = store.get("validation_state")
    statement = read_statement(manifest)
    if state not in {"Valid", "Trusted"}:
        return Verification(path, "tampered", "none", statement, _problems(store))
    edited = statement.source_type in _MADE_BY_MODEL
    serial = manifest.get("signature_info", {}).get("cert_serial_number")
    trust: Literal["this computer", "trusted", "unknown"] = "unknown"
    if state == "Trusted":
        trust = "this computer" if local and serial == local.serial else "trusted"
    return Verification(path, "edited" if edited else "signed", trust, statement, ())


def _problems(store: Mapping[str, Any]) -> tuple[str, ...]:
    results = store.get("validation_results", {}).get("activeManifest", {})
    failures = [entry for entry in results.get("failure", []) if entry.get("code") != _UNTRUSTED]
    told = dict.fromkeys(
        f"{printable(entry.get('explanation'))} ({printable(entry.get('code'))})"
        for entry in failures
    )
    return tuple(told) or ("the credentials are invalid",)


def _about_mark(answer: Verification) -> Iterable[str]:
    if answer.mark is None:
        return
    score = f"score {answer.mark.score:.1f} over {answer.mark.n_frames} frames"
    if not answer.mark.found:
        yield f"No invisible mark was found ({score})."
    elif answer.holds:
        yield f"The invisible mark is there ({score})."
    else:
        yield (
            f"The invisible mark of talkin IS in its pictures ({score}): they were edited with "
            "talkin, and the file was changed since, by re-encoding it for instance."
        )


def _about_statement(answer: Verification) -> Iterable[str]:
    said = answer.statement
    if said is None:
        return
    if not answer.holds:
        yield "What its credentials said, which cannot be relied on any more:"
    yield f"Signed by: {said.signer}; {_TRUST[answer.trust]}"
    named = {
        "Made with": said.software,
        "Model": said.model,
        "Time": said.time,
        "Digital source type": said.source_type,
    }
    yield from (f"{label}: {text}" for label, text in named.items() if text)
    for item in said.ingredients:
        yield f"Made from ({item.role}): {item.title}, SHA-256 {item.sha256 or 'not stated'}"
