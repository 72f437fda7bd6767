"""What kind of value an annotation of a pydantic model stands for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

Kind = Literal["model", "union", "models", "bool", "choice", "number", "text", "list", "any"]
"""`models`: several sections, in a list or under names."""


@dataclass(frozen=True)
class Shape:
    """Of one value."""

    kind: Kind
    wanted: str = ""
    """In words: `a whole number, at least 1`."""
    is_optional: bool = False
    models: tuple[type[BaseModel], ...] = ()
    discriminator: str = ""
    """Of a union: the key that tells its models apart."""
    choices: tuple[str, ...] = ()
    item: "Shape | None" = None
    """Of several sections: one of them."""

    @property
    def tags(self) -> dict[str, type[BaseModel]]:
        """Of a union: value of the discriminator -> model."""
        return {
            str(tag): model
            for model in self.models
            for tag in get_args(model.model_fields[self.discriminator].annotation)
        }


def read_shape(annotation: Any) -> Shape:
    """The shape of an annotation, or of a field of a model."""
    if isinstance(annotation, FieldInfo):
        return _read(annotation.annotation, annotation.metadata, annotation.discriminator)
    return _read(annotation, [], None)


def _read(annotation: Any, limits: list[Any], discriminator: Any) -> Shape:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        for each in arguments[1:]:
            if isinstance(each, FieldInfo):
                limits = [*limits, *each.metadata]
                discriminator = discriminator or each.discriminator
            else:
                limits = [*limits, each]
        return _read(arguments[0], limits, discriminator)
    if origin in (Union, UnionType):
        rest = tuple(each for each in arguments if each is not NoneType)
        shape = _read(rest[0], limits, discriminator) if len(rest) == 1 else _read_union(rest, discriminator)
        return _allow_none(shape) if len(rest) < len(arguments) else shape
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape("model", "a section", models=(annotation,))
    if origin is tuple or origin is list or _is_mapping(origin):
        return _read_container(origin, arguments)
    return _read_scalar(annotation, arguments, limits)


def _read_union(rest: tuple[Any, ...], discriminator: Any) -> Shape:
    models = tuple(each for each in rest if isinstance(each, type) and issubclass(each, BaseModel))
    if isinstance(discriminator, str) and len(models) == len(rest):
        return Shape("union", "a section", models=models, discriminator=discriminator)
    return Shape("any", "a value")


def _allow_none(shape: Shape) -> Shape:
    return replace(shape, is_optional=True, wanted=f"{shape.wanted}, or none")


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _read_container(origin: Any, arguments: tuple[Any, ...]) -> Shape:
    if _is_mapping(origin):
        item = read_shape(arguments[1])
        return Shape("models", "keys with sections", item=item) if item.models else Shape("any", "keys with values")
    item = read_shape(arguments[0])
    if item.models:
        return Shape("models", "a list of sections", item=item)
    each = f", each {item.wanted}" if item.wanted else ""
    if len(arguments) > 1 and arguments[-1] is not Ellipsis:
        return Shape("list", f"{len(arguments)} values{each}")
    return Shape("list", f"a list{each}")


def _read_scalar(annotation: Any, arguments: tuple[Any, ...], limits: list[Any]) -> Shape:
    if get_origin(annotation) is Literal:
        texts = tuple(str(each) for each in arguments)
        if all(isinstance(each, int) for each in arguments):
            return Shape("number", f"one of {', '.join(texts)}", choices=texts)
        return Shape("choice", f"one of {', '.join(texts)}", choices=texts)
    if annotation is bool:
        return Shape("bool", "true or false")
    if annotation in (int, float):
        kind = "a whole number" if annotation is int else "a number"
        return Shape("number", ", ".join((kind, *_name_limits(limits))))
    return Shape("text", "text") if annotation is str else Shape("any", "a value")


def _name_limits(limits: list[Any]) -> list[str]:
    words = []
    for limit in limits:
        match limit:
            case Ge(ge=value):
                words.append(f"at least {value:g}")
            case Gt(gt=value):
                words.append(f"above {value:g}")
            case Le(le=value):
                words.append(f"at most {value:g}")
            case Lt(lt=value):
                words.append(f"below {value:g}" if value != 2**31 else "below 2^31")
            case _:
                pass
    return words
