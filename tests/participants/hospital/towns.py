"""Two organisations of one hospital program, in the form of the demo files; everything in them is invented."""

from __future__ import annotations

CITY = """
name: City Hospital
facilities:
  - id: city-main
    name: City Hospital
    address: 1 Example Road, Pune 411001
    pincode: 411001
    gps: 18.520430,73.856744
    hfr_id: IN2710000101
    hip_id: IN2710000101
    helpline_number: 1800 000 0101
    doctors:
      - id: asha.verma@hpr.ndhm
        hpr_id: 71-0000-0000-0101
        name: Dr. Asha Verma
        gender: F
        speciality: { code: CARDIOLOGY, name: Cardiology }
        education: MBBS, MD
        fee: 500.00
        slot_minutes: 30
        hours:
          wednesday: [10:00-13:00]
          thursday: [10:00-13:00]
      - id: ravi.nair@hpr.ndhm
        hpr_id: 71-0000-0000-0102
        name: Dr. Ravi Nair
        gender: M
        speciality: { code: DERMATOLOGY, name: Dermatology }
        education: MBBS, MD
        fee: 400.00
        slot_minutes: 30
        hours:
          wednesday: [10:00-13:00]
"""
LAKE = """
name: Lake Clinic
facilities:
  - id: lake-main
    name: Lake Clinic
    address: 2 Example Road, Pune 411021
    pincode: 411021
    gps: 18.536000,73.787000
    hfr_id: IN2710000201
    hip_id: IN2710000201
    helpline_number: 1800 000 0201
    doctors:
      - id: nandini.joshi@hpr.ndhm
        hpr_id: 71-0000-0000-0201
        name: Dr. Nandini Joshi
        gender: F
        speciality: { code: CARDIOLOGY, name: Cardiology }
        education: MBBS, MD
        fee: 900.00
        slot_minutes: 30
        hours:
          wednesday: [10:00-13:00]
"""
