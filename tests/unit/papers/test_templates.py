"""Templates of the seller: in the place of ours, closed in their folder, wrong with file and line."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from erpsync.papers.errors import MissingGlyphsError, TemplateError, TooMuchError
from erpsync.papers.papers import Papers
from erpsync.papers.records import Party
from tests.support.papers import FONT, PATIENT_S, bare, pictures, slip, texts

pytestmark = pytest.mark.concurrent("processes")

MINE = "#let paper(data, kit) = [我的单子 #data.number \\ #(kit.code128)(data.number) #data.recipient.name]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of templates that is still empty."""
    (tmp_path / "papers").mkdir()
    return tmp_path / "papers"


@pytest.fixture
def own(folder: Path) -> Iterator[Papers]:
    """Papers with the seller's templates."""
    with Papers((FONT,), folder, limit_s=PATIENT_S) as made:
        yield made


def write(folder: Path, text: str, name: str = "slip.typ") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_a_template_of_the_seller_stands_in_for_ours_and_the_others_stay(own: Papers, folder: Path) -> None:
    write(folder, MINE)

    pdf = own.slip(slip("R1", recipient=Party(name="王")))

    assert texts(pdf) == ["我的单子R1王"]
    assert next(pictures(pdf)).codes() == {"R1"}
    assert own.problems() == []


def test_a_template_that_changes_counts_from_the_next_paper_on(own: Papers, folder: Path) -> None:
    write(folder, MINE)
    own.slip(slip("R1"))
    write(folder, "#let paper(data, kit) = [改过 #data.number]")

    assert texts(own.slip(slip("R1"))) == ["改过R1"]


def test_a_template_reads_files_of_its_own_folder(own: Papers, folder: Path) -> None:
    write(folder, '#import "parts/words.typ": greeting\n#let paper(data, kit) = [#greeting #read("motto.txt")]')
    write(folder, '#let greeting = "你好"', "parts/words.typ")
    write(folder, "薄利多销", "motto.txt")

    assert texts(own.slip(slip())) == ["你好薄利多销"]
    assert own.problems() == []


def test_a_qr_code_is_drawn_where_a_template_asks_for_one(own: Papers, folder: Path) -> None:
    write(folder, "#let paper(data, kit) = (kit.qr)(data.number, size: 30mm)")

    assert next(pictures(own.slip(slip("R20261130000001")))).codes() == {"R20261130000001"}


@pytest.mark.parametrize(
    ("template", "line", "problem"),
    [
        ("#let paper(data, kit) = [\n  #data.nonsense\n]", 2, 'dictionary does not contain key "nonsense"'),
        ("#let paper(data, kit) = [", 1, "unclosed delimiter"),
        ("#let page(data, kit) = []", 1, "defines no function `paper(data, kit)`"),
        ("#let paper(data) = []", 1, "unexpected argument"),
        ("#let paper(data, kit) = {\n  (kit.code128)(data.made_on)\n}", 2, "kit.code128 takes a number of the data"),
        ("#let paper(data, kit) = {\n\n  (kit.code128)(data.number, width: 9mm)\n}", 3, "needs more width"),
        ("#let paper(data, kit) = {\n  panic(data.number)\n}", 2, "R20261111000123"),
        ("#let paper(data, kit) = [\n\n新年🎁快乐]", 3, "no font has 🎁 (U+1F381)"),
        ('#let paper(data, kit) = read("../erpsync.yaml")', 1, "would escape the project root"),
        ('#let paper(data, kit) = read("/../../etc/passwd")', 1, "would escape the project root"),
        ('\n#import "@preview/cetz:0.3.0"\n#let paper(data, kit) = []', 2, "a template imports no package"),
        ('#let name = "@" + "local/x:0.1.0"\n#let paper(data, kit) = {\n  import name\n}', 3, "imports no package"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_with_file_and_line(
    own: Papers, folder: Path, template: str, line: int, problem: str
) -> None:
    file = write(folder, template)

    (found,) = own.problems()

    assert (found.file, found.line) == (str(file), line)
    assert problem in found.problem
    assert str(found).startswith(f"{file}:{line}:{found.column}: ")


def test_a_package_is_never_asked_for(own: Papers, folder: Path) -> None:
    write(folder, '#let name = "@" + "preview/cetz:0.3.0"\n#let paper(data, kit) = {\n  import name\n}')

    with pytest.raises(TemplateError, match="a template imports no package"):
        own.slip(slip())


def test_a_link_that_leads_out_of_the_folder_is_refused(own: Papers, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (folder / "link.txt").symlink_to(tmp_path / "secret")
    write(folder, '#let paper(data, kit) = read("link.txt")')

    with pytest.raises(TemplateError, match=re.escape("link.txt:1:1: is a link that leads out of the folder")):
        own.slip(slip())


def test_a_link_within_the_folder_is_followed(own: Papers, folder: Path) -> None:
    write(folder, MINE, "now/slip.typ")
    (folder / "slip.typ").symlink_to(folder / "now" / "slip.typ")

    assert texts(own.slip(slip("R1"))) == ["我的单子R1"]


def test_a_template_that_is_no_text_is_refused(own: Papers, folder: Path) -> None:
    (folder / "slip.typ").write_bytes(b"\xff\xfe#let")

    with pytest.raises(TemplateError, match=r"slip\.typ:1:1: is no text in UTF-8"):
        own.slip(slip())


def test_a_folder_full_of_other_things_is_refused(own: Papers, folder: Path) -> None:
    write(folder, MINE)
    for number in range(1001):
        (folder / f"{number}.txt").touch()

    with pytest.raises(TemplateError, match="holds more than 1000 files"):
        own.slip(slip())


def test_a_template_under_a_name_that_no_paper_has_is_told(own: Papers, folder: Path) -> None:
    file = write(folder, MINE, "slips.typ")
    write(folder, '#import "parts.typ": x\n#let paper(data, kit) = [#x]', "label.typ")
    write(folder, "#let x = 1", "parts.typ")

    assert list(map(str, own.problems())) == [
        f"{file}:1:1: makes no paper, and no template imports it; papers are slip, pick, label, pack"
    ]


def test_an_error_of_real_data_quotes_nothing_of_it(own: Papers, folder: Path) -> None:
    file = write(folder, '#let paper(data, kit) = {\n  if data.number == "R9" { panic(data.recipient.name) }\n}')

    with pytest.raises(TemplateError) as caught:
        own.slip(slip("R9", recipient=Party(name="王小明")))

    assert str(caught.value) == f"{file}:2:28: makes no paper of this data, though it does of samples"
    assert caught.value.__cause__ is None


def test_an_error_of_samples_and_data_alike_is_told_with_what_samples_say(own: Papers, folder: Path) -> None:
    write(folder, "#let paper(data, kit) = {\n  assert(false, message: data.recipient.name)\n}")

    with pytest.raises(TemplateError, match=r"王\*\*") as caught:
        own.slip(slip("R9", recipient=Party(name="李小红")))

    assert "李小红" not in str(caught.value)


def test_a_bar_code_that_does_not_fit_is_told_of_any_data(own: Papers, folder: Path) -> None:
    write(folder, "#let paper(data, kit) = (kit.code128)(data.number, width: 50mm)")

    with pytest.raises(TemplateError, match=r"kit\.code128: the bar code needs more width than it is given"):
        own.slip(slip("R" * 40))


def test_a_missing_character_of_data_is_no_fault_of_the_template(own: Papers, folder: Path) -> None:
    write(folder, MINE)

    with pytest.raises(MissingGlyphsError):
        own.slip(slip("R1", recipient=Party(name="🎁")))


def test_a_template_without_end_costs_a_limit_and_is_told(folder: Path) -> None:
    file = write(
        folder, "#let paper(data, kit) = for a in range(9000) { for b in range(9000) { let c = range(9000) } }"
    )

    with Papers((FONT,), folder, limit_s=5) as papers:
        with pytest.raises(TooMuchError):
            papers.slip(slip())
        (found,) = [each for each in papers.problems() if each.file == str(file)]

    assert "not ready after 5 s" in found.problem


def test_our_own_templates_have_nothing_wrong(papers: Papers) -> None:
    assert papers.problems() == []


def test_markup_of_the_sellers_words_stays_text(own: Papers, folder: Path) -> None:
    write(folder, "#let paper(data, kit) = [#data.head]")
    from erpsync.papers.style import PaperStyle

    words = '#panic("x") *bold*'
    assert texts(own.slip(slip(), style=PaperStyle(size="A5", head=words))) == [bare(words)]
