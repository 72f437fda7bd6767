"""Where transformers finds a language model: a folder, the hub's cache or the hub. It never imports torch."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lovt_core.errors import MissingWeightsError
from lovt_core.models.hub import cached_file, hub_is_reachable
from lovt_core.models.weights import is_report_model, report_folder, weights_folder


@dataclass(frozen=True)
class LanguageSource:
    """What transformers opens, and whether it may ask the hub for it."""

    name: str
    local_files_only: bool


@dataclass(frozen=True)
class LanguageSizes:
    """Of a saved model."""

    layers: int
    width: int


def find_language_source(name: str) -> LanguageSource:
    """The weights folder or a package, a folder, the hub's cache, the hub are asked in this order.

    Raises MissingWeightsError where the model is in none of them, or the hub would be needed and cannot be reached.
    """
    folder = report_folder(name) or Path(name).expanduser()
    if is_report_model(folder):
        return LanguageSource(str(folder), local_files_only=True)
    if name.startswith(("/", "~", ".")):
        raise MissingWeightsError(f"report_encoder.model: there is no config.json in {name}")
    if cached_file(name, "config.json") is not None:
        return LanguageSource(name, local_files_only=True)
    if hub_is_reachable():
        return LanguageSource(name, local_files_only=False)
    raise MissingWeightsError(
        f"the language model '{name}' is not on this machine and the model hub cannot be reached: put its config.json, "
        f"model.safetensors and tokenizer.json (or vocab.txt) into {weights_folder() / name}, "
        "or set report_encoder.model to a name from `lovt weights list` or to tiny"
    )


def read_language_sizes(source: LanguageSource) -> LanguageSizes | None:
    """Sizes of a model that is on this machine; None where its config does not say them, or is still to be fetched."""
    folder = Path(source.name)
    file = folder / "config.json" if folder.is_dir() else cached_file(source.name, "config.json")
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = json.loads(Path(file or "").read_text(encoding="utf-8"))
        return LanguageSizes(int(content["num_hidden_layers"]), int(content["hidden_size"]))
    return None
