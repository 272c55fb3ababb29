"""The catalogue is whole, right in its placeholders, and in step with the texts in our code."""

import ast
import re

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from erpsync.languages.catalogue import decoded, read
from erpsync.languages.codes import CODES
from erpsync.languages.templates import places
from tests.languages.words import MO, PO, updated, written
from tests.support.sources import modules

PRINTF = re.compile(r"%\((\w+)\)s|%%")


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file)


def english(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def chinese(message: Message) -> str:
    return message.string if isinstance(message.string, str) else message.string[0]


def test_the_catalogue_is_in_step_with_the_texts_in_the_code() -> None:
    text, compiled = written(updated())

    assert PO.read_bytes() == text, "run make words"
    assert decoded(MO.read_bytes()) == decoded(compiled), "run make words"


def test_every_text_is_translated_and_none_is_a_guess(catalogue: Catalog) -> None:
    assert [english(each) for each in catalogue if each.id and (not chinese(each) or each.fuzzy)] == []


def test_every_translation_has_the_places_of_its_text(catalogue: Catalog) -> None:
    def names(text: str) -> list[str]:
        return sorted([*places(text)[1::2], *filter(None, PRINTF.findall(text))])

    wrong = {
        english(each): chinese(each) for each in catalogue if each.id and names(english(each)) != names(chinese(each))
    }

    assert {text: said for text, said in wrong.items() if not gone_for_good(text, said)} == {}


def gone_for_good(text: str, said: str) -> bool:
    """Whether a place is left out because nothing of it is said in Chinese: a plural's ending."""
    return bool(re.fullmatch(r"\{missing\} missing \{missing_2\}.*", text)) and "{missing}" in said


def test_commands_stand_in_a_translation_as_they_are_typed(catalogue: Catalog) -> None:
    def commands(text: str) -> list[str]:
        return sorted(re.findall(r"`(erpsync [^`]*)`", text))

    wrong = [english(each) for each in catalogue if each.id and commands(english(each)) != commands(chinese(each))]

    assert wrong == []


def test_chinese_sentences_have_chinese_marks(catalogue: Catalog) -> None:
    """A comma, colon or semicolon behind a Chinese character is a wide one."""
    wrong = [chinese(each) for each in catalogue if each.id and re.search(r"[\u4e00-\u9fff][,;:]", chinese(each))]

    assert wrong == []


def test_both_files_hold_the_same(catalogue: Catalog) -> None:
    found = read("zh")

    assert found.plain == {english(each): chinese(each) for each in catalogue if each.id and not each.context}
    assert found.in_context == {
        (each.context, english(each)): chinese(each) for each in catalogue if each.id and each.context
    }


def test_a_file_that_is_no_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="no compiled catalogue"):
        decoded(b"\0" * 20)


def test_every_kind_of_event_has_a_word() -> None:
    kinds = set()
    for _, tree in modules("erpsync"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Event":
                kinds |= {
                    word.value.value
                    for word in node.keywords
                    if word.arg == "kind" and isinstance(word.value, ast.Constant)
                }

    assert kinds - set(CODES) == set()
    assert len(kinds) > 20
