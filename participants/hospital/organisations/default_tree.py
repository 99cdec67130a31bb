"""The systems of medicine and specialities that ship, in our own words. Data only.

The codes are those in use on the network. Above: `tree`.
"""

from __future__ import annotations

ALLOPATHY = "ALLOPATHY"

SYSTEMS: dict[str, str] = {
    ALLOPATHY: "Allopathy",
    "AYURVEDA": "Ayurveda",
    "DENTISTRY": "Dentistry",
    "HOMEOPATHY": "Homoeopathy",
    "PHYSIOTHERAPY": "Physiotherapy",
    "SIDDHA": "Siddha",
    "SOWA_RIGPA": "Sowa-Rigpa",
    "UNANI": "Unani",
    "YOGA_NATUROPATHY": "Yoga and naturopathy",
}
"""Systems of medicine by code."""

SPECIALITIES: dict[str, dict[str, str]] = {
    ALLOPATHY: {
        "ANAESTHESIOLOGY": "Anaesthesiology",
        "CARDIAC_SURGERY": "Cardiac surgery",
        "CARDIOLOGY": "Cardiology",
        "DERMATOLOGY": "Dermatology",
        "EMERGENCY_MEDICINE": "Emergency medicine",
        "ENDOCRINOLOGY": "Endocrinology",
        "ENT": "Ear, nose and throat",
        "FAMILY_MEDICINE": "Family medicine",
        "GASTROENTEROLOGY": "Gastroenterology",
        "GENERAL_MEDICINE": "General medicine",
        "GENERAL_SURGERY": "General surgery",
        "GERIATRICS": "Geriatrics",
        "GYNAECOLOGY": "Gynaecology and obstetrics",
        "HAEMATOLOGY": "Haematology",
        "INFECTIOUS_DISEASES": "Infectious diseases",
        "NEONATOLOGY": "Neonatology",
        "NEPHROLOGY": "Nephrology",
        "NEUROLOGY": "Neurology",
        "NEUROSURGERY": "Neurosurgery",
        "ONCOLOGY": "Oncology",
        "OPHTHALMOLOGY": "Ophthalmology",
        "ORTHOPAEDICS": "Orthopaedics",
        "PAEDIATRICS": "Paediatrics",
        "PALLIATIVE_MEDICINE": "Palliative medicine",
        "PATHOLOGY": "Pathology",
        "PLASTIC_SURGERY": "Plastic surgery",
        "PSYCHIATRY": "Psychiatry",
        "PULMONOLOGY": "Pulmonology",
        "RADIOLOGY": "Radiology",
        "RHEUMATOLOGY": "Rheumatology",
        "SPORTS_MEDICINE": "Sports medicine",
        "UROLOGY": "Urology",
    },
    "AYURVEDA": {
        "KAUMARABHRITYA": "Children's diseases",
        "KAYACHIKITSA": "Internal medicine",
        "PANCHAKARMA": "Panchakarma",
        "PRASUTI_TANTRA": "Obstetrics and women's diseases",
        "SHALAKYA_TANTRA": "Eye, ear, nose and throat",
        "SHALYA_TANTRA": "Surgery",
    },
    "DENTISTRY": {
        "ENDODONTICS": "Root canal treatment",
        "GENERAL_DENTISTRY": "General dentistry",
        "ORAL_SURGERY": "Oral surgery",
        "ORTHODONTICS": "Orthodontics",
        "PAEDIATRIC_DENTISTRY": "Children's dentistry",
        "PERIODONTICS": "Gum diseases",
    },
    "HOMEOPATHY": {"GENERAL_HOMEOPATHY": "General homoeopathy"},
    "PHYSIOTHERAPY": {"GENERAL_PHYSIOTHERAPY": "General physiotherapy", "REHABILITATION": "Rehabilitation"},
    "SIDDHA": {"GENERAL_SIDDHA": "General Siddha medicine"},
    "SOWA_RIGPA": {"GENERAL_SOWA_RIGPA": "General Sowa-Rigpa medicine"},
    "UNANI": {"GENERAL_UNANI": "General Unani medicine", "MOALIJAT": "Internal medicine"},
    "YOGA_NATUROPATHY": {"NATUROPATHY": "Naturopathy", "YOGA_THERAPY": "Yoga therapy"},
}
"""Specialities of each system by code."""
