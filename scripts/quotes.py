"""Texts of a document that commands write, each between its marks.

They are comments: `<!-- name -->` before the text, and `<!-- /name -->` after it.
"""

import re
from collections.abc import Mapping


def fill(document: str, texts: Mapping[str, str]) -> str:
    """The document, with each text between its marks. Raises KeyError where they are missing."""
    for name, text in texts.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        pattern = re.compile(f"{begin}.*?{end}", re.DOTALL)
        if not pattern.search(document):
            raise KeyError(name)
        escaped = text.replace("\\", r"\\")  # a backslash means more in a replacement
        document = pattern.sub(f"{begin}{escaped}{end}", document)
    return document
