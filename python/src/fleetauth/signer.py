"""Signing a client's tokens oneself: what `signer=` takes, where the library makes the tokens (Fleet Engine).

A signer is called with the bytes to sign and returns their signature, RSASSA-PKCS1-v1_5 with SHA-256 (RS256), as bytes (an asynchronous
client's: it may be a coroutine function). The key stays where it is: in a KMS, an HSM, or at another service. What it raises comes out
unchanged at whoever asked for the token, but for a fleetauth.TransportError, which becomes the NetworkError that it names. A synchronous
client calls it on the thread that asks for a token; with a signer it renews a token when somebody waits for it, not in the background.
"""

from __future__ import annotations

from .errors import Closed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from . import _native
    from ._secret import Bytes

    Signer = Callable[[bytes], Bytes]
    AsyncSigner = Callable[[bytes], Bytes | Awaitable[Bytes]]


def complete(call: _native.SignCall, signature: Bytes) -> None:
    """Ends a call with the signature."""
    try:
        call.complete(signature)
    except Closed:  # it is no longer wanted
        return
