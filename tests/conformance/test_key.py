"""test_key.py CLAIMS...: prints what is signed, and the token, for a payload like {"iss": …} with the key of the vectors.

The key (test_key.pem) is for these tests alone. RS256 (RFC 8017, 8.2) is done here in plain arithmetic, without any library for
cryptography, so that what the core signs is checked by other means than its own.
"""

import base64
import hashlib
import sys
from pathlib import Path

PEM = Path(__file__).with_name("test_key.pem").read_text("ascii")
KEY_ID = "test-key-1"
EMAIL = "test@vectors.iam.gserviceaccount.example"
# The DER before a SHA-256 digest in a signature.
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def _der(data: bytes) -> list[bytes]:
    """The contents of the elements that stand one after the other."""
    found = []
    while data:
        size, start = data[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[2:start])
        found.append(data[start : start + size])
        data = data[start + size :]
    return found


def _numbers() -> tuple[int, int, int]:
    body = "".join(PEM.splitlines()[1:-1])
    pkcs8 = _der(_der(base64.b64decode(body))[0])
    rsa = _der(_der(pkcs8[2])[0])
    return int.from_bytes(rsa[1]), int.from_bytes(rsa[2]), int.from_bytes(rsa[3])


MODULUS, PUBLIC, PRIVATE = _numbers()
SIZE = (MODULUS.bit_length() + 7) // 8


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _padded(data: bytes) -> bytes:
    end = DIGEST_INFO + hashlib.sha256(data).digest()
    return b"\x00\x01" + b"\xff" * (SIZE - len(end) - 3) + b"\x00" + end


def sign(data: bytes) -> bytes:
    return pow(int.from_bytes(_padded(data)), PRIVATE, MODULUS).to_bytes(SIZE)


def verifies(token: str) -> bool:
    signed, _, signature = token.rpartition(".")
    return pow(int.from_bytes(decode(signature)), PUBLIC, MODULUS).to_bytes(SIZE) == _padded(signed.encode())


def signing_input(payload: str, key_id: str = KEY_ID) -> str:
    kid = f',"kid":"{key_id}"' if key_id else ""
    return encode(f'{{"alg":"RS256","typ":"JWT"{kid}}}'.encode()) + "." + encode(payload.encode())


def token(data: str) -> str:
    return data + "." + encode(sign(data.encode()))


if __name__ == "__main__":
    for claims in sys.argv[1:]:
        print(signing_input(claims), token(signing_input(claims)), sep="\n")
