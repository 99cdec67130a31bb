"""Orders: what is ordered, for whom, on which terms, with which PIN."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from uhi.messages import MessageToProvider, Order
from uhi.messages.times import IST
from uhi.messages.values import Authorization, Customer, Person, Term
from uhi.messages.wire import dump


@pytest.mark.parametrize("order", [{"item": {"id": "1"}}, {"items": [{"id": "1"}, {"id": "2"}]}])
def test_what_is_ordered_is_the_item_or_the_first_of_the_items(order):
    """Irregularities: `item` in most messages, `items` in older ones."""
    read = Order.model_validate(order)

    assert read.line.id == "1"
    assert dump(read) == order


def test_an_order_without_an_item_has_no_line():
    """UHI: status and cancel carry an id only."""
    assert Order(id="1").line is None
    assert Order(id="1", items=[]).line is None


@pytest.mark.parametrize(
    ("token", "pin"), [("0042", "0042"), (42, "0042"), (4821, "4821"), ("4821", "4821"), ("", None)]
)
def test_a_pin_that_came_as_a_number_has_its_zeros_back(token, pin):
    """UHI: four digits as text; half of the published files send a number."""
    authorization = Authorization.model_validate({"token": token})

    assert authorization.pin == pin
    assert dump(authorization) == {"token": token}


def test_a_pin_is_never_shown():
    """Decision 37: never in a log."""
    assert "4821" not in repr(Order(authorization=Authorization(token="4821")))


@pytest.mark.parametrize(
    ("spelled", "state"),
    [
        ("GENERATED", "GENERATED"),
        ("NOT_VERIFIED", "GENERATED"),
        ("VERIFIED", "VERIFIED"),
        ("VERIFIED/HSPAOVERRIDE", "VERIFIED"),
        ("HSPAOVERRIDE", "HSPAOVERRIDE"),
        ("HSPA_OVERRIDE", "HSPAOVERRIDE"),
        ("SOMETHING", "SOMETHING"),
        (None, None),
    ],
)
def test_the_state_of_a_pin_has_several_spellings(spelled, state):
    """UHI, PIN authorization: spellings of the documents."""
    assert Authorization(status=spelled).state == state


def test_the_validity_of_a_pin_is_indian_time():
    """UHI: the day of the appointment, local time."""
    authorization = Authorization(valid_from="2026-04-16T00:00:00", valid_to="some day")

    assert authorization.starts_at == datetime(2026, 4, 16, tzinfo=IST)
    assert authorization.ends_at is None


@pytest.mark.parametrize(("required", "needs"), [(True, True), ("true", True), (False, False), (None, False)])
def test_a_term_tells_whether_it_needs_a_reason_and_is_agreed(required, needs):
    """UHI, terms: the patient's reason is filled in where it is required."""
    term = Term(type="Refund", reasonRequired=required, termsState="AGREED")

    assert (term.needs_reason, term.is_agreed) == (needs, True)
    assert not Term(termsState="INITIATED").is_agreed


@pytest.mark.parametrize(
    ("person", "born"),
    [
        ({"dob": "1990-01-15"}, date(1990, 1, 15)),
        ({"dob": "1990-1-5"}, date(1990, 1, 5)),
        ({"dayOfBirth": 15, "monthOfBirth": 1, "yearOfBirth": 1990}, date(1990, 1, 15)),
        ({"dayOfBirth": "15", "monthOfBirth": "01", "yearOfBirth": "1990"}, date(1990, 1, 15)),
        ({"dayOfBirth": 0, "monthOfBirth": 0, "yearOfBirth": 0}, None),
        ({"yearOfBirth": 1990}, None),
        ({"dob": "unknown"}, None),
        ({}, None),
    ],
)
def test_a_day_of_birth_is_text_or_three_numbers(person, born):
    """Irregularities: an unpadded day, numbers that are zero."""
    assert Person.model_validate(person).born == born


def test_a_person_is_addressed_by_id_or_in_older_messages_by_cred():
    """Irregularities: `cred` instead of `id` in two chat messages."""
    assert Person(id="ravi@sbx", cred="x").address == "ravi@sbx"
    assert Person(cred="ravi@abha").address == "ravi@abha"


def test_the_abha_number_of_a_patient_is_a_tag():
    """UHI: in the person's tags, from init on."""
    customer = Customer.model_validate({"person": {"tags": {"@abdm/gov.in/abha_number": "91-0000-0000-0001"}}})

    assert customer.person.abha_number == "91-0000-0000-0001"


@pytest.mark.parametrize("name", ["content_fileName", "content_filename", "content_filenme"])
@pytest.mark.parametrize("kind", ["content_mimeType", "content_mimetype"])
def test_a_file_in_a_chat_has_its_name_and_type_in_every_spelling(name, kind):
    """Irregularities: three spellings of the name, two of the type, and a type written backwards."""
    value = {"intent": {"chat": {"content": {name: "a.pdf", kind: "pdf/application"}}}}

    message = MessageToProvider.model_validate(value)

    content = message.intent.chat.content
    assert (content.file_name, content.mime_type) == ("a.pdf", "application/pdf")
    assert dump(message) == value


def test_empty_names_and_types_of_a_file_count_as_absent():
    """Irregularities: empty text in video calls."""
    content = {"content_fileName": "", "content_mimeType": "", "content_type": "text"}

    chat = MessageToProvider.model_validate({"intent": {"chat": {"content": content}}}).intent.chat

    assert (chat.content.file_name, chat.content.mime_type) == (None, None)
