-- The tables of a clinic that had its own system long before UHI: local times as text, whole rupees, no time zones.
CREATE TABLE doctor (
    doctor_no   INTEGER PRIMARY KEY,
    full_name   TEXT NOT NULL,
    hpr_address TEXT NOT NULL UNIQUE,
    department  TEXT NOT NULL,
    fee_rupees  INTEGER NOT NULL
);

-- One row for each time that can be given away; the front desk makes them a month ahead.
CREATE TABLE rota (
    rota_no   INTEGER PRIMARY KEY,
    doctor_no INTEGER NOT NULL REFERENCES doctor,
    day       TEXT NOT NULL,                        -- 2026-12-01
    from_time TEXT NOT NULL,                        -- 10:00
    minutes   INTEGER NOT NULL
);

-- What has been given away. RESERVED ends by itself at `reserved_until`; BOOKED stays until it is CANCELLED.
CREATE TABLE visit (
    visit_no       INTEGER PRIMARY KEY AUTOINCREMENT,
    rota_no        INTEGER NOT NULL REFERENCES rota,
    status         TEXT NOT NULL CHECK (status IN ('RESERVED', 'BOOKED', 'CANCELLED', 'RELEASED')),
    reserved_until TEXT NOT NULL,                   -- 2026-12-01 09:45:00
    mobile_no      TEXT NOT NULL,
    patient_name   TEXT NOT NULL,
    abha_address   TEXT NOT NULL,
    why_cancelled  TEXT NOT NULL DEFAULT ''
);

-- A time is given away once.
CREATE UNIQUE INDEX visit_once ON visit (rota_no) WHERE status IN ('RESERVED', 'BOOKED');

INSERT INTO doctor VALUES (17, 'Dr. Leela Menon', 'leela.menon@hpr.ndhm', 'Paediatrics', 400);
INSERT INTO doctor VALUES (23, 'Dr. Imran Shaikh', 'imran.shaikh@hpr.ndhm', 'Dermatology', 650);
