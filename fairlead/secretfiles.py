"""Settings that are secrets may come in files, as orchestrators have them: `NAME_FILE`."""

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

_LONGEST = 64 * 1024
"""Bytes."""


class SecretFileError(RuntimeError):
    """A secret's file cannot be used; the message names its variable and says why."""


def given(name: str) -> str | None:
    """What the environment says under `name`, else the text of the file that `name`_FILE names.

    Without the white space around it. Raises SecretFileError.
    """
    plain = os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}_FILE", "").strip()
    if not path:
        return plain or None
    if plain:
        raise SecretFileError(f"{name} and {name}_FILE are both set: keep one.")
    # A secret put there by mistake is not repeated.
    shown = path if "/" in path and "://" not in path else "what it names"
    try:
        with Path(path).open("rb") as file:
            text = file.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise SecretFileError(f"{name}_FILE: {shown} is larger than {_LONGEST} bytes.")
        found = text.decode().strip()
    except OSError as error:
        raise SecretFileError(f"{name}_FILE: {shown} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        # The error itself would show some of the text.
        raise SecretFileError(f"{name}_FILE: {shown} is not text.") from None
    if not found:
        raise SecretFileError(f"{name}_FILE: {shown} is empty.")
    return found


class SecretFiles(PydanticBaseSettingsSource):
    """What files say of those settings that are secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = field.alias or field_name
        return given(name), name, False

    def __call__(self) -> dict[str, Any]:
        found = {}
        for field_name, field in self.settings_cls.model_fields.items():
            if field.annotation == SecretStr | None:
                value, name, _ = self.get_field_value(field, field_name)
                if value is not None:
                    found[name] = value
        return found
