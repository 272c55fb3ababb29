"""The process that sets pages: what it may take, how it ends, and that it gives nothing away."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from erpsync.papers.errors import FontError, TooMuchError
from erpsync.papers.frames import receive
from erpsync.papers.typesetter import CompileError, Job, Typesetter
from tests.support.papers import FONT, PATIENT_S, RARE, newest_child, texts

pytestmark = pytest.mark.concurrent("processes")

DATED = "#set document(date: datetime(year: 2000, month: 1, day: 1))\n#set text(font: sys.inputs.job)\n"
ENDLESS = "#for a in range(9000) { for b in range(9000) { for c in range(9000) { let d = a + b + c } } }"
HUGE = '#let text = "茶" * 100000000\n#for n in range(100) { text = text + text }\n#text.len()'


def job(source: str, root: Path) -> Job:
    return Job(root=root, source=DATED + source, inputs="WenQuanYi Micro Hei")


@pytest.fixture
def typesetter() -> Iterator[Typesetter]:
    with Typesetter((FONT,), limit_s=PATIENT_S) as made:
        yield made


def process_of(typesetter: Typesetter) -> int:
    """Return the process that works for one, which is the last that this test has started."""
    typesetter.families()
    return newest_child()


def is_gone(pid: int) -> bool:
    """Whether a process is gone within a minute; one that nobody has waited for yet counts as gone."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if ended and len(list(Path(f"/proc/{pid}/task").iterdir())) == 1:  # no thread outlives the first
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        threading.Event().wait(0.02)
    return False


def test_a_source_that_never_ends_is_ended_and_the_next_job_is_done(tmp_path: Path) -> None:
    with Typesetter((FONT,), limit_s=5) as typesetter:
        typesetter.families()
        with pytest.raises(TooMuchError, match="not ready after 5 s"):
            typesetter.set(job(ENDLESS, tmp_path))

    with Typesetter((FONT,), limit_s=PATIENT_S) as typesetter:
        assert texts(typesetter.set(job("茶", tmp_path))) == ["茶"]


def test_the_same_one_goes_on_after_a_job_that_was_ended(tmp_path: Path) -> None:
    typesetter = Typesetter((FONT,), limit_s=20)
    with typesetter:
        first = process_of(typesetter)
        os.kill(first, signal.SIGSTOP)
        typesetter._limit_s = 0.2  # a limit that a stopped process cannot keep
        with pytest.raises(TooMuchError, match=r"not ready after 0\.2 s"):
            typesetter.set(job("茶", tmp_path))
        typesetter._limit_s = PATIENT_S

        assert texts(typesetter.set(job("茶", tmp_path))) == ["茶"]
        assert is_gone(first)


def test_a_source_that_calls_itself_for_ever_is_an_error_with_its_place(typesetter: Typesetter, tmp_path: Path) -> None:
    (tmp_path / "slip.typ").write_text("#let f(x) = f(x)\n#f(1)\n", encoding="utf-8")

    with pytest.raises(CompileError, match="maximum function call depth exceeded") as caught:
        typesetter.set(job('#include "/slip.typ"', tmp_path))

    assert caught.value.places[0] == (str(tmp_path / "slip.typ"), 1, 13)


def test_a_source_that_takes_all_memory_ends_its_process_and_the_next_job_is_done(
    typesetter: Typesetter, tmp_path: Path
) -> None:
    with pytest.raises(TooMuchError, match="512 MB"):
        typesetter.set(job(HUGE, tmp_path))

    assert texts(typesetter.set(job("茶", tmp_path))) == ["茶"]


@pytest.mark.concurrent("threads")
def test_a_process_that_is_killed_at_work_costs_one_job(typesetter: Typesetter, tmp_path: Path) -> None:
    victim = process_of(typesetter)
    caught: list[Exception] = []

    def ask() -> None:
        try:
            typesetter.set(job(ENDLESS, tmp_path))
        except TooMuchError as error:
            caught.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not works(victim):
        threading.Event().wait(0.02)
    os.kill(victim, signal.SIGKILL)
    asking.join()

    assert "ended with -9" in str(caught[0])
    assert texts(typesetter.set(job("茶", tmp_path))) == ["茶"]


def works(pid: int) -> bool:
    """Whether a process has taken up work: its time grows."""
    before = ticks(pid)
    threading.Event().wait(0.1)
    return ticks(pid) > before


def ticks(pid: int) -> int:
    """Return how long a process has worked so far."""
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))


def test_a_process_that_was_killed_at_rest_costs_nothing(typesetter: Typesetter, tmp_path: Path) -> None:
    victim = process_of(typesetter)
    os.kill(victim, signal.SIGKILL)
    assert is_gone(victim)

    assert texts(typesetter.set(job("茶", tmp_path))) == ["茶"]


def test_the_process_dies_with_whoever_started_it_even_at_work(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom erpsync.papers.typesetter import Job, Typesetter\n"
        f"t = Typesetter((Path({str(FONT)!r}),), limit_s=300)\nt.families()\n"
        "print(open(f'/proc/self/task/{__import__(\"os\").getpid()}/children').read().split()[0], flush=True)\n"
        f"t.set(Job(root=Path({str(tmp_path)!r}), source={ENDLESS!r}, inputs=''))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        while not works(pid):
            threading.Event().wait(0.02)
        parent.kill()

    assert is_gone(pid)


def test_the_process_may_not_write_files_nor_leave_a_dump_nor_grow(typesetter: Typesetter) -> None:
    limits = Path(f"/proc/{process_of(typesetter)}/limits").read_text(encoding="ascii")

    rows = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    assert rows["Max file size"] == ["0", "0"]
    assert rows["Max core file size"] == ["0", "0"]
    assert rows["Max address space"] == [str(512 * 1024 * 1024)] * 2


def test_the_process_has_no_secret_of_ours_in_its_environment(
    typesetter: Typesetter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMALL_SESSION", "secret-of-a-shop")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials")

    environ = Path(f"/proc/{process_of(typesetter)}/environ").read_bytes()

    assert b"secret-of-a-shop" not in environ
    assert b"CREDENTIALS" not in environ


def test_a_terminal_s_ctrl_c_is_not_for_the_process(typesetter: Typesetter, tmp_path: Path) -> None:
    pid = process_of(typesetter)
    os.kill(pid, signal.SIGINT)

    assert texts(typesetter.set(job("茶", tmp_path))) == ["茶"]
    assert process_of(typesetter) == pid


@pytest.mark.concurrent("threads")
def test_many_threads_share_one_process_and_each_gets_its_own_paper(typesetter: Typesetter, tmp_path: Path) -> None:
    pid, found = process_of(typesetter), dict[int, list[str]]()

    def ask(number: int) -> None:
        found[number] = texts(typesetter.set(job(f"茶 {number}", tmp_path)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {number: [f"茶{number}"] for number in range(12)}
    assert process_of(typesetter) == pid


def test_what_typst_remembers_of_a_job_is_dropped(typesetter: Typesetter, tmp_path: Path) -> None:
    """It would keep every page of the last ten jobs; many jobs later it is as small as after a few."""

    def megabytes() -> int:
        typesetter.families()  # it has forgotten what it set last
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

    pid = process_of(typesetter)
    source = "#for n in range(200) { page[茶 #n %s] }"
    for number in range(4):
        typesetter.set(job(source % f"before {number}", tmp_path))
    typesetter.set(job("茶", tmp_path))
    before = megabytes()
    for number in range(8):
        typesetter.set(job(source % number, tmp_path))

    assert process_of(typesetter) == pid
    assert megabytes() < before + 20


def test_a_process_is_kept_when_it_has_set_as_much_as_a_large_wave(tmp_path: Path) -> None:
    with Typesetter((FONT,), limit_s=PATIENT_S) as typesetter:
        pid = process_of(typesetter)
        typesetter.set(job("#for n in range(1500) { page[茶 #n #lorem(30)] }", tmp_path))
        typesetter.set(job("茶", tmp_path))

        assert process_of(typesetter) == pid


def test_a_process_that_has_grown_beyond_use_is_replaced(tmp_path: Path) -> None:
    with Typesetter((FONT,), limit_s=PATIENT_S) as typesetter:
        pid = process_of(typesetter)
        typesetter.set(job('#for n in range(200000) { let kept = label("of" * 250 + str(n)) }', tmp_path))
        typesetter.set(job("茶", tmp_path))

        assert process_of(typesetter) != pid
        assert is_gone(pid)


def test_missing_characters_come_out_as_they_went_in(typesetter: Typesetter, tmp_path: Path) -> None:
    source = "#set text(fallback: false)\n茶 🎁 \\u{e000} \\u{1f469}"
    with pytest.raises(CompileError) as caught:
        typesetter.set(Job(root=tmp_path, source=DATED + source, inputs="WenQuanYi Micro Hei"))

    assert caught.value.missing == {"🎁", "\ue000", "👩"}


@pytest.mark.parametrize("quoted", ['"', "\\", "\n", "'", "\u202e", "茶"])
def test_a_text_that_rust_quotes_is_read_back(quoted: str) -> None:
    escaped = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\u202e": "\\u{202e}"}.get(quoted, quoted)
    diagnostic = f'error: PDF/A-2u error: the text `"{escaped}"` could not be displayed with font `"X"`'

    assert CompileError("", diagnostic).missing == set(quoted)


def test_the_font_that_is_named_is_the_one_that_prints() -> None:
    with Typesetter((RARE, FONT), limit_s=PATIENT_S) as typesetter:
        assert typesetter.families() == ("Rare", "WenQuanYi Micro Hei")


def test_a_font_without_chinese_characters_is_refused_with_the_package_that_has_one() -> None:
    with (
        Typesetter((RARE,), limit_s=PATIENT_S) as typesetter,
        pytest.raises(FontError, match=r"rare\.ttf has no Chinese characters: apt install fonts-wqy-microhei"),
    ):
        typesetter.families()


@pytest.mark.parametrize("name", ["missing.ttf", "text.ttf"])
def test_a_file_that_is_no_font_is_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.ttf").write_text("no font", encoding="utf-8")

    with (
        Typesetter((FONT, tmp_path / name), limit_s=PATIENT_S) as typesetter,
        pytest.raises(FontError, match=f"{name} is no font file that can be read"),
    ):
        typesetter.families()


def test_more_data_than_a_frame_takes_is_refused_before_it_is_sent(typesetter: Typesetter, tmp_path: Path) -> None:
    with pytest.raises(TooMuchError, match="print it in parts"):
        typesetter.set(Job(root=tmp_path, source="", inputs="x" * (64 * 1024 * 1024)))


def test_half_a_frame_is_no_frame() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\0\0\0\4ab")
        theirs.shutdown(socket.SHUT_WR)

        assert receive(ours) is None
