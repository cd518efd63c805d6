import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from provenance_footage import pictures, write_clip

from talkin.errors import ConfigurationError
from talkin.provenance.credentials import sign_edit
from talkin.provenance.self_signed import new_pair
from talkin.provenance.signing import SigningConfig, load_identity, local_identity
from talkin.provenance.verification import verify

posix = pytest.mark.skipif("sys.platform == 'win32'", reason="no POSIX permissions")


def split_pair(folder, pair):
    """Key and certificates in two files, as an organisation hands them out."""
    key, rest = pair.split(b"-----END PRIVATE KEY-----\n")
    (folder / "key.pem").write_bytes(key + b"-----END PRIVATE KEY-----\n")
    (folder / "certificate.pem").write_bytes(rest)
    return SigningConfig(key=folder / "key.pem", certificate=folder / "certificate.pem")


def pair_with_key(key, days=300):
    """A certificate for a given key that ends in so many days."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    end = datetime.now(UTC) + timedelta(days=days)
    is_ed25519 = isinstance(key, ed25519.Ed25519PrivateKey)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), serial_number=7)
        .not_valid_before(end - timedelta(days=1000))
        .not_valid_after(end)
        .sign(key, None if is_ed25519 else hashes.SHA256())
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private = key.private_bytes(pem, pkcs8, serialization.NoEncryption())
    return private + certificate.public_bytes(pem)


@posix
def test_the_local_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first, second = load_identity(folder=tmp_path / "own"), load_identity(folder=tmp_path / "own")
    assert first == second
    path = tmp_path / "own" / "local.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["local.pem"]


def test_the_output_says_that_it_is_self_signed(signer):
    assert signer.is_self_signed
    assert "self-signed" in signer.describe()


def test_no_log_shows_the_key(signer):
    assert b"PRIVATE KEY" in signer.key
    assert "PRIVATE" not in repr(signer) + signer.describe() + str(signer.chain)


@posix
def test_a_key_that_others_may_read_is_refused_with_the_way_out(tmp_path, signer):
    path = tmp_path / "signing" / "local.pem"
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match=r"chmod 600 .*local\.pem"):
        load_identity(folder=tmp_path / "signing")


def test_workers_that_start_at_once_agree_on_one_key(tmp_path):
    code = (
        "import sys; from pathlib import Path; from talkin.provenance.signing import load_identity;"
        "print(load_identity(folder=Path(sys.argv[1])).serial)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "shared")]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    serials = [worker.communicate(timeout=60)[0].strip() for worker in workers]
    assert all(worker.returncode == 0 for worker in workers)
    assert len(set(serials)) == 1
    assert serials[0]


def test_looking_for_a_local_key_makes_none(tmp_path):
    assert local_identity(tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_a_configured_pair_signs_and_is_not_called_self_signed(tmp_path, edit, credential):
    config = split_pair(tmp_path, new_pair())
    identity = load_identity(config)
    assert not identity.is_self_signed
    sign_edit(edit, credential, identity)
    assert verify(edit, trusted=config.certificate).trust == "trusted"
    assert not (tmp_path / "signing").exists()  # no local pair is made beside it


def test_half_a_configuration_is_refused(tmp_path):
    config = split_pair(tmp_path, new_pair())
    with pytest.raises(ConfigurationError, match="both"):
        load_identity(SigningConfig(key=config.key))


def test_a_key_of_another_certificate_is_refused(tmp_path):
    config = split_pair(tmp_path, new_pair())
    config.key.write_bytes(new_pair().split(b"-----BEGIN CERT")[0])
    with pytest.raises(ConfigurationError, match=r"key\.pem: this key does not belong"):
        load_identity(config)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nx\n"])
def test_a_broken_key_is_named_but_not_quoted(tmp_path, content):
    config = split_pair(tmp_path, new_pair())
    config.key.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"key\.pem: no signing key") as refusal:
        load_identity(config)
    assert "nonsense" not in str(refusal.value)
    config.key.unlink()
    with pytest.raises(ConfigurationError, match=r"key\.pem cannot be read"):
        load_identity(config)


def test_an_expired_certificate_is_told_with_its_date(tmp_path):
    pair = pair_with_key(ec.generate_private_key(ec.SECP256R1()), days=-1)
    config = split_pair(tmp_path, pair)
    with pytest.raises(ConfigurationError, match="expired on 20"):
        load_identity(config)


@pytest.mark.parametrize(
    ("make", "algorithm"),
    [
        (lambda: ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ed25519.Ed25519PrivateKey.generate, "ed25519"),
        (lambda: rsa.generate_private_key(65537, 2048), "ps256"),
    ],
)
def test_the_algorithm_follows_the_key(tmp_path, make, algorithm):
    config = split_pair(tmp_path, pair_with_key(make()))
    assert load_identity(config).algorithm == algorithm


def test_a_kind_of_key_that_c2pa_does_not_know_is_refused(tmp_path):
    pair = pair_with_key(ec.generate_private_key(ec.SECP256K1()))
    with pytest.raises(ConfigurationError, match="P-256"):
        load_identity(split_pair(tmp_path, pair))


def test_no_signing_means_no_edit(tmp_path, credential, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TALKIN_SIGNING", str(tmp_path / "file" / "signing"))
    edit = write_clip(tmp_path / "edit.mp4", pictures(2))
    with pytest.raises(ConfigurationError, match="TALKIN_SIGNING"):
        sign_edit(edit, credential)
    assert not edit.exists()
