"""What every model has in common: what came goes out again, and nothing is shown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from uhi.messages import Order, Search
from uhi.messages.values import Agent, Category, Descriptor, Person, Place, Quantity
from uhi.messages.wire import NumberText, Unreadable, dump, emit, json_path, truth

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def test_a_number_in_place_of_text_is_read_as_text_and_goes_out_as_a_number():
    """Irregularities of the samples: ids, codes and phones come as text or as numbers."""
    place = Place.model_validate({"name": "ANAKAPALLI", "code": 744})

    assert place.code == "744"
    assert dump(place) == {"name": "ANAKAPALLI", "code": 744}


@pytest.mark.parametrize("value", [0, -1, 9086143.1, 100002, 1e22, 2**53])
def test_every_number_survives_where_text_is_expected(value):
    """Decision 8: round trip is value for value."""
    category = Category.model_validate({"id": value})

    (back,) = dump(category).values()

    assert (type(back), back) == (type(value), value)


@pytest.mark.parametrize("value", [True, [], {}, ["x"]])
def test_what_is_neither_text_nor_number_is_no_text(value):
    """Ours: a list where a name belongs is another message."""
    with pytest.raises(ValidationError):
        Place.model_validate({"name": value})


def test_null_absent_and_empty_stay_apart():
    """Decision 8: unset stays unset; null came as null."""
    assert dump(Place.model_validate({})) == {}
    assert dump(Place.model_validate({"name": None})) == {"name": None}
    assert dump(Place.model_validate({"name": ""})) == {"name": ""}


@given(st.dictionaries(st.text(), JSON))
def test_unknown_members_survive_whatever_they_are_called(members):
    """Decision 8: what we do not know we pass on, names such as `model_dump` and `__proto__` included."""
    value = {"intent": {"unknown": members, **{f"x{name}": entry for name, entry in members.items()}}}

    search = Search.model_validate(value)

    assert json.dumps(dump(search), sort_keys=True) == json.dumps(value, sort_keys=True)


def test_names_of_python_and_javascript_are_ordinary_members():
    """Security: a member called like a method is data."""
    value = {"model_dump": 1, "__proto__": 2, "constructor": 3, "__class__": 4, "model_fields_set": []}

    assert dump(Place.model_validate(value)) == value


def test_what_is_dumped_shares_nothing_with_the_model():
    """Ours: a model is frozen, also through its dump."""
    agent = Agent.model_validate({"tags": {"a": ["b"]}})

    dump(agent)["tags"]["a"].append("c")

    assert dump(agent) == {"tags": {"a": ["b"]}}


def test_what_is_sent_leaves_out_null_and_empty_objects():
    """UHI: null and {} are read as absent and not sent; empty text stays, it is documented for some members."""
    order = Order.model_validate(
        {"id": "1", "state": None, "provider": {}, "terms": [{"reason": "", "type": None}], "billing": {"email": None}}
    )

    assert emit(order) == {"id": "1", "terms": [{"reason": ""}]}


def test_a_model_never_shows_its_values():
    """Privacy: a model printed into a log must not show a patient; names of members are enough to find a fault."""
    person = Person.model_validate({"id": "ravi@sbx", "name": "Ravi", "ravi's": 1, "dayOfBirth": 15})

    shown = repr(person) + str(person) + repr(Unreadable({"name": "Ravi"}, "$.name"))

    assert "ravi" not in shown.lower()
    assert "dayOfBirth" in shown


def test_a_validation_error_never_shows_its_input():
    """Privacy: the text of a refusal reaches logs."""
    with pytest.raises(ValidationError) as refused:
        Person.model_validate({"name": ["Ravi Kumar"]})

    assert "Ravi" not in str(refused.value)


def test_a_model_cannot_be_changed():
    """Ours: what was verified is what is handled."""
    with pytest.raises(ValidationError):
        Place(name="Pune").name = "Delhi"


def test_a_list_is_given_up_at_its_first_bad_entry():
    """Security: a hostile list must not cost an error object per entry."""
    with pytest.raises(ValidationError) as refused:
        Order.model_validate({"terms": [1] * 10_000})

    assert refused.value.error_count() == 1


@pytest.mark.parametrize(
    ("came", "meaning"), [(True, True), (False, False), ("True", True), ("false", False), ("maybe", None), (None, None)]
)
def test_a_flag_is_read_from_a_truth_value_or_from_text(came, meaning):
    """Irregularities: `flag` is a truth value, tags spell it as text."""
    descriptor = Descriptor.model_validate({"flag": came})

    assert truth(descriptor.flag) is meaning
    assert dump(descriptor) == {"flag": came}


@pytest.mark.parametrize("count", [16, "16", 1.5])
def test_a_count_keeps_its_form(count):
    """UHI: a stock is a whole number; what comes otherwise is kept."""
    quantity = Quantity.model_validate({"count": count})

    assert dump(quantity) == {"count": count}


@pytest.mark.parametrize("came", ["a.png", ["a.png", "b.png"], "", [], None])
def test_images_are_text_or_a_list(came):
    """Irregularities: a string in every example, a list in the schema."""
    descriptor = Descriptor.model_validate({"images": came})

    assert dump(descriptor) == {"images": came}


def test_a_place_in_a_body_is_written_as_a_json_path():
    """UHI: the error's path is a JSON path."""
    assert json_path(("message", "order", "terms", 0, "type")) == "$.message.order.terms[0].type"


def test_remembered_numbers_equal_their_text():
    """Ours: ids are compared as text, whatever form they came in."""
    assert {NumberText.of(28): "x"}["28"] == "x"
