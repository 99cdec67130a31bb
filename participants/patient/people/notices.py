"""What people are told before they consent: our own words, by purpose, version and language.

Pure data. A text that changes gets a new version: consents name the one they were given to, and its hash. Above:
`consents`. Source: privacy rules "DPDP Rules 2025, R3" (standalone, itemised, plain).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from uhi.errors import Refusal
from uhi.faults import RECORD_MISSING


class Purpose(StrEnum):
    """What data is used for."""

    DISCOVERY = "discovery"
    BOOKING = "booking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What somebody is told, as it is shown."""

    purpose: Purpose
    version: int
    language: str
    title: str
    text: str

    @property
    def text_hash(self) -> str:
        """SHA-256 (hex) of what is shown."""
        return sha256(f"{self.title}\n{self.text}".encode()).hexdigest()


_DISCOVERY_EN = """To find doctors for you, this application asks hospitals on India's Unified Health Interface.
What is used: the speciality, doctor, place and dates that you search for. Your name, telephone number and ABHA are not
sent with a search.
Who gets it: the network's gateway and the hospitals it asks.
How long: what was found is kept for at most 48 hours.
You may withdraw this consent at any time under "Consents"; then this application searches no more for you."""

_DISCOVERY_HI = """आपके लिए डॉक्टर ढूँढने के लिए यह ऐप भारत के यूनिफ़ाइड हेल्थ इंटरफ़ेस पर अस्पतालों से पूछता है।
क्या उपयोग होता है: विशेषज्ञता, डॉक्टर, स्थान और तारीखें जिन्हें आप खोजते हैं। खोज के साथ आपका नाम, फ़ोन नंबर और आभा नहीं
भेजे जाते।
किसे मिलता है: नेटवर्क के गेटवे और उन अस्पतालों को जिनसे वह पूछता है।
कितने समय तक: जो मिला, वह अधिकतम 48 घंटे रखा जाता है।
आप यह सहमति कभी भी "सहमतियाँ" में वापस ले सकते हैं; तब यह ऐप आपके लिए और खोज नहीं करता।"""

_BOOKING_EN = """To book an appointment, this application sends a hospital what it needs to receive the patient.
What is used: the patient's name, ABHA address and, where given, ABHA number, gender, date of birth, telephone number,
e-mail address and billing address; the appointment itself, its terms as you agreed to them, and why it is cancelled.
Who gets it: the hospital you book with. The gateway gets a copy of the hospital's answers, without reading them.
How long: with this application until you erase your data; messages for seven days. The hospital keeps its own records
as the law asks of it.
You may withdraw this consent at any time under "Consents"; appointments that are booked stay booked until you cancel
them."""

_BOOKING_HI = """अपॉइंटमेंट बुक करने के लिए यह ऐप अस्पताल को वह जानकारी भेजता है जो मरीज़ को देखने के लिए चाहिए।
क्या उपयोग होता है: मरीज़ का नाम, आभा पता और, यदि दिया हो, आभा नंबर, लिंग, जन्मतिथि, फ़ोन नंबर, ई-मेल और बिल का पता;
अपॉइंटमेंट, उसकी शर्तें जिन पर आप सहमत हुए, और रद्द करने का कारण।
किसे मिलता है: उस अस्पताल को जहाँ आप बुक करते हैं। गेटवे को अस्पताल के उत्तरों की प्रति मिलती है, वह उन्हें पढ़ता नहीं।
कितने समय तक: इस ऐप में जब तक आप अपना डेटा नहीं मिटाते; संदेश सात दिन तक। अस्पताल अपने रिकॉर्ड क़ानून के अनुसार रखता है।
आप यह सहमति कभी भी "सहमतियाँ" में वापस ले सकते हैं; बुक किए गए अपॉइंटमेंट तब तक बने रहते हैं जब तक आप उन्हें रद्द न करें।"""

CURRENT = (
    Notice(purpose=Purpose.DISCOVERY, version=1, language="en", title="Searching for doctors", text=_DISCOVERY_EN),
    Notice(purpose=Purpose.DISCOVERY, version=1, language="hi", title="डॉक्टर की खोज", text=_DISCOVERY_HI),
    Notice(purpose=Purpose.BOOKING, version=1, language="en", title="Booking appointments", text=_BOOKING_EN),
    Notice(purpose=Purpose.BOOKING, version=1, language="hi", title="अपॉइंटमेंट बुक करना", text=_BOOKING_HI),
)
"""The texts in force."""


def notice_of(purpose: Purpose, language: str) -> Notice:
    """Return the notice in force.

    Raises: Refusal(RECORD_MISSING) for a language in which there is none.
    """
    for notice in CURRENT:
        if (notice.purpose, notice.language) == (purpose, language):
            return notice
    raise Refusal(RECORD_MISSING, "there is no notice in this language", next_step="GET /v1/notices lists them")
