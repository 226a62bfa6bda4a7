"""What clients send: whole numbers, and names, which come back in errors where values never do."""

from collections.abc import Callable
from typing import Any
from unicodedata import category

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

UNKNOWN_NAME = "unknown_name"
LONGEST_NAME = 64
LONGEST_NUMBER = 19  # decimal digits of 64 bits
# Letters and a symbol that show nothing, although Python calls them printable.
BLANKS = "\u115f\u1160\u2800\u3164\uffa0"


def printable(name: str) -> str:
    """A name as it can be shown anywhere: at most 64 characters, none of them invisible.

    Control, bidirectional and zero-width characters, marks on other characters, line separators
    and lone surrogates are escaped as in Python.
    """
    shown = "".join(map(_visible, name[:LONGEST_NAME]))
    return shown if len(shown) <= LONGEST_NAME else shown[: LONGEST_NAME - 1] + "…"


def _visible(character: str) -> str:
    if character.isprintable() and category(character) != "Mn" and character not in BLANKS:
        return character
    return character.encode("unicode_escape").decode()


class Input(BaseModel):
    """A body or a query. An unknown name is refused first: what it misspells is missing, too."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @classmethod
    def known(cls) -> list[str]:
        """The names that a client may use."""
        return list(cls.model_fields)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_names(cls, sent: Any) -> Any:
        unknown = [name for name in sent if name not in cls.model_fields]
        if not unknown:
            return sent
        error = PydanticCustomError(UNKNOWN_NAME, "unknown", {"known": ", ".join(cls.known())})
        raise ValidationError.from_exception_data(
            cls.__name__,
            [InitErrorDetails(type=error, loc=(printable(name),), input=None) for name in unknown],
        )


def whole_number(low: int, high: int) -> Callable[[object], int]:
    """Make a reader of decimal digits. It refuses what Python takes, too: `+1`, `1.0`, `1_000`.

    The reader raises ValueError.
    """

    def read(value: object) -> int:
        digits = str(value)
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError(f"a whole number from {low} to {high}")
        if len(digits) > LONGEST_NUMBER or not low <= int(digits) <= high:
            raise ValueError(f"from {low} to {high}")
        return int(digits)

    return read
