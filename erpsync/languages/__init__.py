"""What people read, in their language: English as it is written in our code, or simplified Chinese.

Why nothing is loaded here: English needs no catalogue, and the command line has to answer at once.
"""

from erpsync.languages.language import ENGLISH, Language, language

__all__ = ["ENGLISH", "LANGUAGES", "Language", "language"]

LANGUAGES = ("en", "zh")
"""Codes of the languages there are, as `--lang` takes them."""
