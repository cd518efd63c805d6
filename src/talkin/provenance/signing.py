"""Who signs an edit: a key and certificate by configuration, else a pair made on this computer."""

import contextlib
import os
import secrets
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from talkin.errors import ConfigurationError
from talkin.provenance.self_signed import new_pair
from talkin.scratch import remove_old_parts

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_LARGEST_FILE = 1_000_000
_ALGORITHM_OF_CURVE = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


class SigningConfig(BaseModel):
    """Where key and certificate are; without both, a local self-signed pair is used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Path | None = Field(
        default=None, description="Private key, PEM without a password (EC, Ed25519 or RSA)."
    )
    certificate: Path | None = Field(
        default=None, description="PEM chain, the signer's own certificate first."
    )
    timestamp_url: str | None = Field(
        default=None,
        description="Time-stamp authority asked at every signature; None asks nobody, and then "
        "signatures end with their certificate.",
    )


@dataclass(frozen=True)
class SigningIdentity:
    """A signer.

    Attributes:
        name: Whom the certificate names.
        chain: PEM certificates, the signer's own first.
        key: PEM private key; not shown by `repr`, so that no log holds it.
        algorithm: C2PA's name of the signature algorithm.
        serial: Of the signer's certificate.
        is_self_signed: Whether the pair was made on this computer.
        timestamp_url: Time-stamp authority, or None.
    """

    name: str
    chain: bytes
    key: bytes = field(repr=False)
    algorithm: str
    serial: str
    is_self_signed: bool
    timestamp_url: str | None = None

    def describe(self) -> str:
        """Who signs, in words for the user."""
        if not self.is_self_signed:
            return f"signed as {self.name}"
        return (
            f"signed as {self.name}, a self-signed certificate made on this computer: others see "
            "that the file is unchanged, but cannot tell who signed it"
        )


def signing_folder() -> Path:
    """Where the local pair is: $TALKIN_SIGNING, else talkin/signing in the user's settings."""
    own = os.environ.get("TALKIN_SIGNING")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CONFIG_HOME")
    return (Path(shared) if shared else Path.home() / ".config") / "talkin" / "signing"


def load_identity(
    config: SigningConfig | None = None, folder: Path | None = None
) -> SigningIdentity:
    """The configured signer, or the local one, which is made at the first call.

    Args:
        config: Key and certificate.
        folder: Of the local pair; None for `signing_folder()`.

    Raises:
        ConfigurationError: If only one of key and certificate is named, a file cannot be read,
            they do not belong together, the certificate is expired, or others may read the
            local key.
    """
    config = config or SigningConfig()
    if (config.key is None) != (config.certificate is None):
        raise ConfigurationError("signing needs both `key` and `certificate`, or neither of them")
    if config.key is None or config.certificate is None:
        path = _local_pair(folder or signing_folder())
        content = _read(path)
        return _identity(content, content, path, config.timestamp_url, is_local=True)
    key, chain = _read(config.key), _read(config.certificate)
    return _identity(key, chain, config.key, config.timestamp_url, is_local=False)


def local_identity(folder: Path | None = None) -> SigningIdentity | None:
    """The local signer if there is one that can be read; never makes one."""
    path = (folder or signing_folder()) / "local.pem"
    if not path.exists():
        return None
    try:
        content = _read(path)
        return _identity(content, content, path, None, is_local=True)
    except ConfigurationError:
        return None


def _local_pair(folder: Path) -> Path:
    """Key and certificates in one file, so that one link puts all of it in place or nothing."""
    path = folder / "local.pem"
    if not path.exists():
        part = folder / f".local.{secrets.token_hex(4)}.part"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            remove_old_parts(folder)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(new_pair())
                file.flush()
                os.fsync(file.fileno())
            _put_in_place(part, path)
        except OSError as error:
            raise ConfigurationError(
                f"{path}: no local signing key can be made: {error.strerror}; set TALKIN_SIGNING "
                "to a folder of your own, or configure `key` and `certificate`"
            ) from error
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    if sys.platform != "win32" and path.stat().st_mode & 0o077:
        raise ConfigurationError(
            f"{path}: others may read the signing key; `chmod 600 {path}`, or delete it to have "
            "a new one made"
        )
    return path


def _put_in_place(part: Path, path: Path) -> None:
    """Of several workers that make a pair at once, the first one's is kept by all."""
    try:
        os.link(part, path)
    except FileExistsError:
        return
    except OSError:  # a disk without hard links
        if not path.exists():
            part.replace(path)


def _identity(
    key: bytes, chain: bytes, path: Path, timestamp_url: str | None, is_local: bool
) -> SigningIdentity:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        private = serialization.load_pem_private_key(key, password=None)
        certificates = x509.load_pem_x509_certificates(chain)
    except (ValueError, TypeError) as error:
        # The library's own message may quote the content of a key file.
        raise ConfigurationError(
            f"{path}: no signing key without a password, or no certificate, in PEM form"
        ) from error
    own = certificates[0]
    if own.public_key() != private.public_key():
        raise ConfigurationError(f"{path}: this key does not belong to the first certificate")
    if own.not_valid_after_utc < datetime.now(UTC):
        way_out = "delete it to have a new one made" if is_local else "ask for a new one"
        raise ConfigurationError(
            f"{path}: the certificate expired on {own.not_valid_after_utc.date()}; {way_out}"
        )
    pem = serialization.Encoding.PEM
    return SigningIdentity(
        name=own.subject.rfc4514_string(),
        chain=b"".join(certificate.public_bytes(pem) for certificate in certificates),
        key=private.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        algorithm=_algorithm(private, path),
        serial=str(own.serial_number),
        is_self_signed=is_local,
        timestamp_url=timestamp_url,
    )


def _algorithm(key: "PrivateKeyTypes", path: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _ALGORITHM_OF_CURVE:
        return _ALGORITHM_OF_CURVE[key.curve.name]
    raise ConfigurationError(f"{path}: use an EC (P-256, P-384, P-521), Ed25519 or RSA key")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_FILE)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
