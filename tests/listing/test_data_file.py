"""Data files: every mistake is told by file, line and place, before the first request."""

from __future__ import annotations

import pytest

from uhi.errors import SetupError
from uhi.listing import Entry, Table, read_data


def read_shop(entry: Entry) -> tuple[str, str, bool]:
    """A shop, as these tests compare it."""
    entry.point()
    entry.phone("phone")
    return entry.ref("id"), entry.text("name"), entry.yes("open")


SHOPS = Table("shop", ("id", "name"), ("gps", "open", "phone"), read_shop)
GOODS = Table(
    "goods",
    ("shop_id", "code", "price"),
    (),
    lambda entry: (entry.ref("shop_id"), entry.chosen("code", {"A": 1, "B": 2}), entry.rupees("price")),
    once=("shop_id", "code"),
    refers=(("shop_id", "shop"),),
)
FILE = """name: Shops
shop:
  - id: one
    name: First
    gps: 18.5,73.8
    open: yes
  - id: two
    name: Second
goods:
  - { shop_id: one, code: A, price: 10.50 }
  - { shop_id: two, code: A, price: 3 }
"""


def read(tmp_path, content: str):
    """Both lists of a file."""
    path = tmp_path / "shops.yaml"
    path.write_text(content)
    data = read_data(path, "shop", "goods")
    return data, data.entries(SHOPS), data.entries(GOODS)


def test_lists_of_a_file_are_read(tmp_path):
    """Ours: flat entries, as the rows of a table have them."""
    data, shops, goods = read(tmp_path, FILE)

    assert data.text("name") == "Shops"
    assert shops == (("one", "First", True), ("two", "Second", False))
    assert [str(price) for _, _, price in goods] == ["10.50", "3"]


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("gps: 18.5,73.8", "gps: here", r"line 5 .*gps\): this is not a position, got 'here', expected latitude"),
        ("open: yes", "open: perhaps", r"line 6 .*open\): this is neither yes nor no"),
        ("    name: Second\n", "", r"line 7 .*: name is missing"),
        ("id: two", "id: one", r"line 7 .*: this is there twice, got one"),
        ("id: two", "id: two shops", r"line 7 .*id\): this does not have the required form"),
        ("open: yes", "opened: yes", r"line 6 .*opened\): there is no such field"),
        (
            "code: A, price: 3",
            "code: C, price: 3",
            r"line 11 .*code\): this is none of the codes, got 'C', expected A B",
        ),
        ("shop_id: two", "shop_id: three", r"line 11 .*shop_id\): there is no entry of this id, got 'three'"),
        ("price: 3", "price: three", r"line 11 .*price\): this does not have the required form.*rupees"),
        ("goods:", "good:", r"line 10 \(good\): there is no such field"),
        ("name: Shops\n", "", r"name is missing"),
    ],
)
def test_a_mistake_is_told_by_file_line_and_place(tmp_path, was, becomes, told):
    """Ours: an operator corrects the file without reading the program."""
    with pytest.raises(SetupError, match=f"(?s)shops.yaml, {told}" if "line" in told else told):
        read(tmp_path, FILE.replace(was, becomes, 1))


def test_a_list_that_is_not_there_is_told(tmp_path):
    """Ours: an empty list is written as one."""
    with pytest.raises(SetupError, match="goods is missing"):
        read(tmp_path, FILE[: FILE.index("goods:")])


def test_an_empty_list_is_a_list(tmp_path):
    """Ours: nothing is offered, and searches are answered so."""
    _, shops, goods = read(tmp_path, "name: Shops\nshop: []\ngoods: []\n")

    assert (shops, goods) == ((), ())
