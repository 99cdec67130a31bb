"""Sign a body and verify the header: pure functions, no network, no clock. Nothing here answers yes or no."""

from uhi.errors import Refusal
from uhi.signing import UHI, PrivateKey, Signer, check_window, sign, verify
from uhi.signing.authorization import parse

NOW = 1_790_000_000  # Unix seconds

key = PrivateKey.new()
body = b'{"context":{"action":"search"},"message":{"intent":{}}}'
value = sign(body, Signer("clinic.example", "k1", key, UHI), created=NOW)
print(value)

header = parse(value)
check_window(header, now=NOW + 3)
verify(body, header, key=key.public, profile=UHI)
print(f"verified: {header.subscriber_id} signed this body with key {header.key_id}")

try:
    verify(body + b" ", header, key=key.public, profile=UHI)
except Refusal as refusal:
    print(f"refused with {refusal.fault.status} {refusal.fault.type}")
