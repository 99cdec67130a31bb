"""`uhi keys`: what it prints, what it writes, and that a private key is never printed."""

from __future__ import annotations

import base64
import json
import stat

import pytest

from tests_keys import FORMS  # placeholder
