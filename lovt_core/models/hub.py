"""Asking the model hub without ever waiting for it long."""

import urllib.error
import urllib.request

from huggingface_hub import constants, try_to_load_from_cache


def cached_file(repository: str, name: str) -> str | None:
    """Path of a file that an earlier download left in the hub's cache."""
    try:
        path = try_to_load_from_cache(repository, name)
    except ValueError:  # no repository can be called so
        return None
    return path if isinstance(path, str) else None


def hub_is_reachable(timeout_seconds: float = 3.0) -> bool:
    """Whether the hub answers at all: the clients themselves retry for minutes."""
    if constants.HF_HUB_OFFLINE:
        return False
    request = urllib.request.Request(constants.ENDPOINT, method="HEAD")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False
