"""WebSocket frames of our own making: the same bytes for everybody."""

EXTENSION = "fairlead.frame"
"""In an ASGI scope's extensions: `websocket.send` takes whole `frames` in place of text."""
_SHORT, _MEDIUM = 125, 0xFFFF


def text_frame(payload: bytes) -> bytes:
    """One unmasked frame with the whole text (RFC 6455, 5.2)."""
    size = len(payload)
    if size <= _SHORT:
        head = bytes((0x81, size))
    elif size <= _MEDIUM:
        head = b"\x81\x7e" + size.to_bytes(2, "big")
    else:
        head = b"\x81\x7f" + size.to_bytes(8, "big")
    return head + payload
