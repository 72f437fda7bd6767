"""The fields of a form, read off the pydantic models: whatever key a model has gets a row, in the model's order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from lovt_tui.forms.paths import MISSING, Path
from lovt_tui.forms.shapes import Shape, read_shape

Form = Literal["bool", "choice", "number", "text", "list", "yaml", "switch", "entry", "unknown"]
"""How a value is edited. `switch`: a section that may be left out; `entry`: one of several sections, such as one
parameter of a space; `unknown`: a key that the schema does not have."""


@dataclass(frozen=True)
class Field:
    """One key of a form."""

    path: Path
    """Part of the form, then the keys."""
    form: Form
    value: Any
    """As it is given, else the default; `MISSING` where a value is needed."""
    default: Any = MISSING
    """What counts when the key is left out."""
    help: str = ""
    wanted: str = ""
    """What kind of value the schema takes, in words."""
    choices: tuple[str, ...] = ()
    is_optional: bool = False
    """Whether it may be empty."""
    tags: Mapping[str, type[BaseModel]] | None = None
    """Of a choice that decides which keys follow: the section of each."""


def list_fields(schema: Any, document: Any, path: Path) -> tuple[Field, ...]:
    """All fields of `schema`, a model or a union of models told apart by a key, with the values of `document`.

    `document` need not be valid: what the schema does not know is a field too, so that it can be seen and taken out.
    """
    return tuple(_walk(read_shape(schema), _Place(path, document, MISSING, "")))


@dataclass(frozen=True)
class _Place:
    path: Path
    given: Any
    """`MISSING` where the document has nothing."""
    default: Any
    """A model, or plain."""
    help: str

    @property
    def value(self) -> Any:
        """As plain containers."""
        return self.plain_default if self.given is MISSING else self.given

    @property
    def plain_default(self) -> Any:
        return self.default if self.default is MISSING else to_jsonable_python(self.default, by_alias=True)

    def field(self, form: Form, shape: Shape, **more: Any) -> Field:
        return Field(
            self.path,
            form,
            self.value,
            self.plain_default,
            self.help,
            shape.wanted,
            is_optional=shape.is_optional,
            **more,
        )


def _walk(shape: Shape, place: _Place) -> Iterator[Field]:
    is_section = isinstance(place.given, Mapping) or place.given is MISSING
    if shape.is_optional and shape.models:
        yield place.field("switch", shape)
        if place.value is None:
            return
        if not is_section:
            return
    match shape.kind:
        case "model" if is_section:
            yield from _walk_model(shape.models[0], place)
        case "union" if is_section:
            yield from _walk_union(shape, place)
        case "models":
            yield from _walk_many(shape, place)
        case "bool" | "choice" | "number" | "text" | "list":
            yield place.field(shape.kind, shape, choices=shape.choices)
        case _:
            yield place.field("yaml", shape)


def _walk_model(model: type[BaseModel], place: _Place, without: str = "") -> Iterator[Field]:
    given = place.given if isinstance(place.given, Mapping) else {}
    stands_for = place.default if place.given is MISSING and isinstance(place.default, model) else None
    known = {field.alias or name: (name, field) for name, field in model.model_fields.items()}
    for key, (name, field) in known.items():
        if key != without:
            default = _default(name, field, stands_for)
            below = _Place((*place.path, key), given.get(key, MISSING), default, describe_field(field))
            yield from _walk(read_shape(field), below)
    for key in given:
        if key not in known and key != without:
            yield Field(
                (*place.path, key), "unknown", given[key], help="The schema has no such key: delete takes it out."
            )


def _default(name: str, field: FieldInfo, stands_for: BaseModel | None) -> Any:
    if stands_for is not None:
        return getattr(stands_for, name)
    default = field.get_default(call_default_factory=True, validated_data={})
    return MISSING if default is PydanticUndefined else default


def _walk_union(shape: Shape, place: _Place) -> Iterator[Field]:
    """The key that tells, then the keys of the section that it names."""
    tags = shape.tags
    given = place.given if isinstance(place.given, Mapping) else {}
    own = next((tag for tag, model in tags.items() if isinstance(place.default, model)), MISSING)
    tag = given.get(shape.discriminator, own)
    yield Field(
        (*place.path, shape.discriminator), "choice", tag, own, place.help, f"one of {', '.join(tags)}", tuple(tags),
        tags=tags,
    )  # fmt: skip
    if isinstance(tag, str) and tag in tags:
        yield from _walk_model(tags[tag], place, without=shape.discriminator)


def _walk_many(shape: Shape, place: _Place) -> Iterator[Field]:
    """Sections under names, or in a list."""
    assert shape.item is not None
    if shape.item.kind != "model" or not isinstance(place.value, list):
        yield place.field("yaml", shape)
    entries: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(place.value, Mapping):
        entries = iter(place.value.items())
    elif isinstance(place.value, list):
        entries = iter(enumerate(place.value))
    for key, value in entries:
        below = _Place((*place.path, key), value, MISSING, "")
        yield Field(below.path, "entry", value, help=place.help, wanted="delete takes it out")
        yield from _walk(shape.item, below)


def spell_out(schema: Any, document: Any) -> Any:
    """The document, with those sections that it leaves out and whose holder gives them other defaults than their own.

    A key that is put into a section takes the place of the holder's whole default: without this its other keys would
    change too.
    """
    shape = read_shape(schema)
    model = shape.models[0] if shape.kind == "model" else None
    if shape.kind == "union" and isinstance(document, Mapping):
        model = shape.tags.get(str(document.get(shape.discriminator)))
    if model is None or not isinstance(document, Mapping):
        return document
    filled = dict(document)
    for name, field in model.model_fields.items():
        key, default = field.alias or name, _default(name, field, None)
        if key in document:
            filled[key] = spell_out(field, document[key])
        elif isinstance(default, BaseModel) and default.model_fields_set:
            filled[key] = to_jsonable_python(default, by_alias=True)
    return filled


def describe_field(field: FieldInfo) -> str:
    """The docstring of a key in one line."""
    return " ".join((field.description or "").split())
