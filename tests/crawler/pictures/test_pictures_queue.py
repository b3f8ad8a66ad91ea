"""The queue of pictures: once each, within a budget, nothing lost, nothing blocking."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from crawler.pictures import PictureQueue, PictureText
from crawler.pictures.queue import MAX_PER_PAGE, Budget
from crawler.pictures.recognise import Word

BASE = "https://a.example/i"


def picture(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(data, "PNG")
    return data.getvalue()


class Desk:
    """Counts what is fetched, recognised and handed on."""

    def __init__(self, **pictures: bytes | None) -> None:
        self.pictures = {f"{BASE}/{name}.png": data for name, data in pictures.items()}
        self.fetched: list[str] = []
        self.recognised = 0
        self.got: list[tuple[str, str, str]] = []

    def fetch(self, url: str) -> bytes | None:
        self.fetched.append(url.rsplit("/", 1)[-1])
        return self.pictures.get(url)

    def recognise(self, _: Image.Image) -> Sequence[Word]:
        self.recognised += 1
        return [Word(f"文字{self.recognised}", 1, 2, 30, 40, 0.9)]

    def on_read(self, page: str, url: str, said: PictureText) -> None:
        self.got.append((page, url.rsplit("/", 1)[-1], said.text))


def test_a_picture_on_many_pages_is_recognised_once(tmp_path: Path) -> None:
    desk = Desk(a=picture("red"), b=picture("red"), c=picture("blue"))
    with PictureQueue(tmp_path / "pictures.db") as queue:
        queue.add("page1", [f"{BASE}/a.png", f"{BASE}/c.png", f"{BASE}/a.png"])
        queue.add("page2", [f"{BASE}/a.png", f"{BASE}/b.png"])
        done = queue.work(desk.fetch, desk.on_read, recognise=desk.recognise)
    assert (done.read, done.same, done.failed, done.left) == (2, 2, 0, 0)
    assert desk.recognised == 2
    assert sorted(desk.fetched) == ["a.png", "b.png", "c.png"]
    said = {(page, name): text for page, name, text in desk.got}
    assert said["page1", "a.png"] == said["page2", "a.png"] == said["page2", "b.png"]
    with PictureQueue(tmp_path / "pictures.db") as queue:
        queue.add("page3", [f"{BASE}/b.png"])
        again = queue.work(desk.fetch, desk.on_read, recognise=desk.recognise)
    assert (again.read, again.same) == (0, 1)
    assert desk.got[-1] == ("page3", "b.png", said["page2", "b.png"])


def test_licences_come_first_icons_never_and_a_page_has_its_share(tmp_path: Path) -> None:
    with PictureQueue(tmp_path / "pictures.db") as queue:
        urls = [f"{BASE}/{n}.png" for n in range(100)]
        assert queue.add("p", [f"{BASE}/icon.png", "https://a.example/logo/x.png", *urls]) == MAX_PER_PAGE
        assert queue.add("q", [f"{BASE}/logo.png"], first=[f"{BASE}/logo.png"]) == 1
        desk = Desk(**{str(n): picture("red") for n in range(100)}, logo=picture("green"))
        queue.work(desk.fetch, desk.on_read, budget=Budget(pictures=2), recognise=desk.recognise)
        assert desk.fetched[:2] == ["logo.png", "0.png"]


def test_the_budget_ends_the_work_and_the_rest_waits(tmp_path: Path) -> None:
    colours = ("red", "green", "blue", "white")
    desk = Desk(**{colour: picture(colour) for colour in colours})
    with PictureQueue(tmp_path / "pictures.db") as queue:
        queue.add("p", [f"{BASE}/{colour}.png" for colour in colours])
        done = queue.work(desk.fetch, desk.on_read, budget=Budget(pictures=3), recognise=desk.recognise)
        assert (done.read, done.left) == (3, 1)
        assert queue.work(desk.fetch, desk.on_read, budget=Budget(seconds=0), recognise=desk.recognise).left == 1


def test_what_cannot_be_had_is_tried_three_times_and_hurts_nobody(tmp_path: Path) -> None:
    desk = Desk(gone=None, bad=b"not a picture", good=picture("red"))
    with PictureQueue(tmp_path / "pictures.db") as queue:
        queue.add("p", [f"{BASE}/gone.png", f"{BASE}/bad.png", f"{BASE}/good.png"])
        done = queue.work(desk.fetch, desk.on_read, recognise=desk.recognise)
    assert desk.fetched.count("gone.png") == 3
    assert (done.failed, done.left) == (3, 0)
    assert [name for _, name, _ in desk.got] == ["bad.png", "good.png"]


def test_a_picture_that_breaks_the_recogniser_is_given_up_and_the_rest_goes_on(tmp_path: Path) -> None:
    desk = Desk(a=picture("red"), b=picture("blue"))

    def break_once(part: Image.Image) -> Sequence[Word]:
        if part.getpixel((0, 0)) == (255, 0, 0):
            raise RuntimeError("model")
        return desk.recognise(part)

    with PictureQueue(tmp_path / "pictures.db") as queue:
        queue.add("p", [f"{BASE}/a.png", f"{BASE}/b.png"])
        done = queue.work(desk.fetch, desk.on_read, recognise=break_once)
    assert (done.read, done.failed, done.left) == (1, 1, 0)
    assert [name for _, name, _ in desk.got] == ["b.png"]


def test_an_interrupted_reading_waits_again(tmp_path: Path) -> None:
    desk = Desk(a=picture("red"), b=picture("blue"))

    def stop(_: Image.Image) -> Sequence[Word]:
        raise KeyboardInterrupt

    with PictureQueue(tmp_path / "pictures.db") as queue:
        queue.add("p", [f"{BASE}/a.png", f"{BASE}/b.png"])
        for _ in range(5):
            assert queue.work(desk.fetch, desk.on_read, recognise=stop).left == 2
    with PictureQueue(tmp_path / "pictures.db") as queue:
        assert queue.waiting() == 2
        done = queue.work(desk.fetch, desk.on_read, recognise=desk.recognise)
    assert (done.read, done.left) == (2, 0)
