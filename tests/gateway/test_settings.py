"""Settings of a gateway: from the environment, all mistakes at once."""

from __future__ import annotations

import pytest

from gateway.matching import MatchRules
from gateway.search import SearchRules
from gateway.settings import GatewaySettings
from uhi.errors import SetupError
from uhi.exchange.rates import RateRules
from uhi.signing import PrivateKey, Window
from uhi.world import addresses_of

NEEDED = {
    "UHI_SUBSCRIBER_ID": "gateway.example",
    "UHI_KEY_ID": "k1",
    "UHI_KEY_FILE": "gateway.pem",
    "UHI_URL": "https://gateway.example/api/v1/uhi/",
    "UHI_REGISTRY_URL": "https://registry.example/api/v1/networkregistry",
}


@pytest.fixture
def environment(monkeypatch):
    """Sets the variables that are needed, and those of a test."""

    def setting(**variables: str) -> None:
        for name, value in (NEEDED | variables).items():
            monkeypatch.setenv(name, value)

    return setting


def test_network_decides_nothing_unless_it_says_so(environment):
    """Decisions on matching and fan-out: domain and country only, 2,000 providers, 60 s."""
    environment()

    settings = GatewaySettings.read()

    assert settings.rules == SearchRules(MatchRules(), fan_out_limit=2_000, open_seconds=60.0)
    assert settings.url == "https://gateway.example/api/v1/uhi"


@pytest.mark.parametrize(
    ("network", "ports", "sends"),
    [("open", "443", (443,)), ("open", "443, 8443", (443, 8443)), ("local", "443", None)],
)
def test_peers_are_reached_at_the_ports_that_are_allowed(environment, network, ports, sends):
    """Outgoing rules: port 443, or those of a list; on the local network any."""
    keys = f"k1={PrivateKey.new().public.raw_base64()}"
    environment(
        UHI_NETWORK=network, UHI_OUTGOING_PORTS=ports, UHI_REGISTRY_ID="registry.example", UHI_REGISTRY_KEYS=keys
    )

    policy = addresses_of(GatewaySettings.read())

    assert policy.ports == sends
    assert policy.public == (network != "local")


def test_network_turns_on_what_it_matches_and_sets_its_limits(environment):
    """Decision on matching: city and declared fulfilment types where the network says so."""
    environment(UHI_MATCH_CITY="true", UHI_MATCH_FULFILMENT_TYPE="1", UHI_FAN_OUT_LIMIT="50", UHI_OPEN_SECONDS="12.5")

    rules = GatewaySettings.read().rules

    assert rules == SearchRules(MatchRules(city=True, fulfilment_type=True), fan_out_limit=50, open_seconds=12.5)


def test_every_mistake_is_named_at_once_and_no_value_is_repeated(environment):
    """Decision on settings; a value may be a secret that slipped into the wrong variable."""
    environment(UHI_MATCH_CITY="perhaps", UHI_FAN_OUT_LIMIT="0", UHI_OPEN_SECONDS="-1", UHI_URL="gateway")

    with pytest.raises(SetupError) as caught:
        GatewaySettings.read()

    names = ("UHI_MATCH_CITY", "UHI_FAN_OUT_LIMIT", "UHI_OPEN_SECONDS", "UHI_URL")
    assert all(name in caught.value.got for name in names)
    assert "perhaps" not in str(caught.value)


def test_misspelt_variable_is_told_and_those_of_other_programs_are_not(environment, caplog):
    """Ours: what sets nothing and nearly is a setting was meant to be one."""
    environment(UHI_DATABASES_URL="sqlite:///g.db", UHI_HOLD_MINUTES="5", UHI_PMJAY_DATABASE_URL="sqlite:///p.db")

    GatewaySettings.read()

    assert [record.getMessage() for record in caplog.records] == [
        "UHI_DATABASES_URL sets nothing; there is UHI_DATABASE_URL"
    ]


def test_signature_window_is_a_setting(environment):
    """Decision on signing and time: 5 s ahead and 3,600 s of life unless the network says otherwise."""
    environment()
    usual = GatewaySettings.read().preset.window
    environment(UHI_SIGNATURE_FUTURE="2", UHI_SIGNATURE_LIFETIME="60")

    strict = GatewaySettings.read().preset.window

    assert (usual, strict) == (Window(5, 3_600), Window(2, 60))


def test_rates_are_the_tables_and_each_is_a_setting(environment):
    """Limits table: search 10/s, other actions 50/s, 5 bad signatures a minute; 0 is no limit."""
    environment()
    usual = GatewaySettings.read().rates
    environment(
        UHI_SEARCHES_PER_SECOND="1",
        UHI_ANSWERS_PER_SECOND="2",
        UHI_MESSAGES_PER_SECOND="3",
        UHI_REQUESTS_PER_SECOND="4",
        UHI_BAD_SIGNATURES_PER_MINUTE="0",
    )

    own = GatewaySettings.read().rates

    assert (usual.searches, usual.messages, usual.bad_signatures) == (10, 50, 5)
    assert usual == RateRules()
    assert own == RateRules(searches=1, answers=2, messages=3, requests=4, bad_signatures=0)


def test_gateway_only_is_a_setting(environment):
    """Case SIG-18: the policy of a network in which no search comes straight to a provider."""
    environment()
    usual = GatewaySettings.read().preset.gateway_only
    environment(UHI_GATEWAY_ONLY="true")

    assert (usual, GatewaySettings.read().preset.gateway_only) == (False, True)
