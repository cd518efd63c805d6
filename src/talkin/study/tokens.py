"""Private links: a random token for each rater, kept only as its hash.

A token has 256 random bits, so it cannot be guessed, and one round of SHA-256 is enough to keep it:
slow hashes protect passwords, which can be guessed. The token stands behind the `#` of the link,
which browsers do not send: it stays out of the logs of servers and proxies and out of referrers.
"""

import hashlib
import secrets


def new_token() -> str:
    """A fresh token, 43 characters that are safe in links."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """SHA-256 of a token: what the database keeps and looks up."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def private_link(base_url: str, token: str) -> str:
    """The link that a rater gets."""
    return f"{base_url.rstrip('/')}/#{token}"


def shown_order(clip_ids: tuple[str, ...], order_seed: str) -> list[str]:
    """The clips in a rater's own order, the same at each visit and on every machine."""
    return sorted(
        clip_ids, key=lambda clip: hashlib.sha256(f"{order_seed}/{clip}".encode()).digest()
    )
