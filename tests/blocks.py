"""The code blocks of a document in Markdown."""

import re
from textwrap import dedent

FENCED = re.compile(r"^( *)```([^\n]*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


def fenced(document: str) -> list[tuple[str, str]]:
    """What the fence of each block says, and the block."""
    return [(about, dedent(code)) for _, about, code in FENCED.findall(document)]
