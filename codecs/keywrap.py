"""Readers' keys as they lie on disk: wrapped by a key-encryption key (AES Key Wrap, RFC 3394).

Wrapping takes no randomness: the same key under the same key-encryption key is the same bytes. It is
checked while it is undone, so a wrong key-encryption key is found out and gives no wrong key.
"""

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

KEY_BYTES = 32
WRAPPED_BYTES = KEY_BYTES + 8


class WrongKey(ValueError):
    """The bytes are no 32-byte key wrapped under that key-encryption key."""


def wrap(wrapping: bytes, key: bytes) -> bytes:
    """`key` (32 bytes) under `wrapping` (16, 24 or 32 bytes): 40 bytes. Raises ValueError for others."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a reader's key has {KEY_BYTES} bytes, not {len(key)}")
    return aes_key_wrap(wrapping, key)


def unwrap(wrapping: bytes, wrapped: bytes) -> bytes:
    """The 32-byte key that `wrap` was given. Raises WrongKey."""
    if len(wrapped) != WRAPPED_BYTES:
        raise WrongKey(f"a wrapped key has {WRAPPED_BYTES} bytes, not {len(wrapped)}")
    try:
        return aes_key_unwrap(wrapping, wrapped)
    except InvalidUnwrap as error:
        raise WrongKey("not wrapped under this key") from error
