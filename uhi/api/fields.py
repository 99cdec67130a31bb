"""The kinds of text that bodies hold, each with its length. What they mean is judged by the domain.

Above: the `…_routes` modules.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

EmailText = Annotated[str, Field(max_length=254, json_schema_extra={"format": "email"})]
PhoneText = Annotated[str, Field(max_length=30, examples=["+91 98765 43210"])]
NameText = Annotated[str, Field(min_length=1, max_length=200)]
PasswordText = Annotated[str, Field(min_length=1, max_length=512)]
CodeText = Annotated[str, Field(min_length=1, max_length=64)]
"""What somebody types: of six digits, or a recovery code."""
SecretText = Annotated[str, Field(min_length=1, max_length=512)]
"""What a program keeps: a token, a ticket, a challenge."""
IdText = Annotated[str, Field(max_length=255, pattern="^[!-~]*$")]
