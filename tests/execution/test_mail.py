"""Mail through the store: every message is read once and whole, and either side knows when the other is gone."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from ganbench.execution import mail
from ganbench.execution.mail import Box, Room, end_others, is_to_stop
from ganbench.execution.messages import Message


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def age(path: Path, seconds: float) -> None:
    """Make a file look as if it had last been written so long ago."""
    at = path.stat().st_mtime - seconds
    os.utime(path, (at, at))


def test_every_message_is_read_once_and_as_it_was_written(room: Room) -> None:
    box = room.box()
    assert box.read() == []
    first = [Message("progress", step=3, steps=9, alive=2), Message("error", text="ä\nb", detail="x\n\ny", halts=True)]
    for message in first:
        Box(box.path).post(message)
    assert box.read() == first
    assert box.read() == []
    Box(box.path).post(Message("done"))
    assert box.read() == [Message("done")]


def test_half_a_message_waits_for_its_other_half(room: Room) -> None:
    box, elsewhere = room.box(), room.box()
    elsewhere.post(Message("trained", key="k"))
    whole = elsewhere.path.read_bytes()
    box.path.write_bytes(whole + whole[:7])
    assert box.read() == [Message("trained", key="k")]
    with box.path.open("ab") as file:
        file.write(whole[7:])
    assert box.read() == [Message("trained", key="k")]


def test_two_boxes_and_two_rooms_are_apart(tmp_path: Path) -> None:
    first, second = Room(tmp_path), Room(tmp_path)
    boxes = [first.box(), first.box(), second.box()]
    assert len({box.path for box in boxes}) == 3
    boxes[0].post(Message("done"))
    assert [len(box.read()) for box in boxes] == [1, 0, 0]
    first.close()
    assert not first.folder.exists() and second.folder.exists()


def test_workers_stop_when_asked_or_when_their_head_is_gone(room: Room) -> None:
    box, head = room.box(), room.folder / "head"
    box.post(Message("alive"))
    assert not is_to_stop(box)
    age(head, mail.SILENT - 10)
    assert not is_to_stop(box)
    age(head, 20)
    assert is_to_stop(box)
    head.touch()
    assert not is_to_stop(box)
    room.stop()
    assert is_to_stop(box)
    room.close()
    assert is_to_stop(box)


def test_the_head_shows_that_it_lives_and_that_does_not_take_the_end_back(room: Room) -> None:
    box, head = room.box(), room.folder / "head"
    box.post(Message("alive"))
    room.stop()
    age(head, 1000)
    old = head.stat().st_mtime
    room._beat -= mail.EVERY
    room.beat()
    assert head.stat().st_mtime > old
    assert is_to_stop(box)


def test_the_mail_of_ended_runs_is_thrown_away_at_once(tmp_path: Path) -> None:
    for last in ("done", "left"):
        box = Room(tmp_path).box()
        box.post(Message("alive"))
        box.post(Message(last))
    Room(tmp_path)  # nobody has begun there
    told: list[bool] = []
    assert len(list((tmp_path / mail.FOLDER).iterdir())) == 3
    end_others(tmp_path, lambda: told.append(True))
    assert not list((tmp_path / mail.FOLDER).iterdir())
    end_others(tmp_path, lambda: told.append(True))
    end_others(tmp_path / "new", lambda: told.append(True))
    assert not told


def test_workers_of_a_killed_head_are_stopped_and_waited_for(tmp_path: Path) -> None:
    silent, working = Room(tmp_path).box(), Room(tmp_path).box()
    silent.post(Message("alive"))
    age(silent.path, mail.SILENT + 1)
    working.post(Message("alive"))
    seen: list[bool] = []

    def work() -> None:
        while not (told and is_to_stop(working)):
            time.sleep(0.01)
        seen.append(True)
        working.post(Message("left"))

    thread = threading.Thread(target=work)
    told: list[bool] = []
    thread.start()
    end_others(tmp_path, lambda: told.append(True), poll=0.01)
    thread.join()
    assert seen == told == [True] and not list((tmp_path / mail.FOLDER).iterdir())
