"""Global ids: opaque outside, type name and key inside; the same in answers and in events."""

import uuid
from base64 import urlsafe_b64encode


def global_id(type_name: str, key: uuid.UUID) -> str:
    return urlsafe_b64encode(type_name.encode() + b":" + key.bytes).decode()
