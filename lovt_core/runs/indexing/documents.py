"""Documents of many runs in little memory: most parts of an experiment are the same in all of them."""

import json
import marshal
from sys import intern
from typing import Any

MAX_PARTS = 10_000


class DocumentReader:
    """Reads JSON objects; equal parts of what it has read are one and the same object, which nobody may change."""

    def __init__(self) -> None:
        self._parts: dict[bytes, Any] = {}

    def read(self, text: str) -> dict[str, Any]:
        """The object that a text is; raises ValueError where it is none."""
        document = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError(f"a document in the index is no JSON object: {text[:80]}")
        if len(self._parts) > MAX_PARTS:  # runs come and go while a dashboard stays open for days
            self._parts.clear()
        return {intern(name): self._share(value) for name, value in document.items()}

    def _share(self, value: Any) -> Any:
        """The value that is known where there is an equal one of the same types."""
        match value:
            case str():
                return intern(value)
            case dict() | list():
                return self._parts.setdefault(marshal.dumps(value), value)
            case _:
                return value
