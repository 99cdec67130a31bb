"""Writes what the pages show of the sources: `python docs/generate.py [--check]`.

The pages of `reference/` whole, and every code block that names a file. With `--check` nothing is written, and the exit
code is 1 if a page differs from what would be written.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The sources beside this page, whether they are installed or not.
sys.path.insert(0, str(ROOT))

from pydantic.fields import FieldInfo  # noqa: E402
from pydantic_settings import BaseSettings  # noqa: E402

import uhi.actions  # noqa: E402
from docs.commands import cli_page  # noqa: E402
from docs.interfaces import DESCRIPTIONS  # noqa: E402
from gateway.network_registry.settings import RegistrySettings  # noqa: E402
from gateway.relays import RELAYED_ON_SEARCH, RELAYED_SEARCH  # noqa: E402
from gateway.settings import GatewaySettings  # noqa: E402
from participants.demo_hospital.settings import HospitalSettings as DemoHospitalSettings  # noqa: E402
from participants.hospital.settings import HospitalSettings  # noqa: E402
from participants.patient.settings import PatientSettings  # noqa: E402
from uhi import errors, faults  # noqa: E402
from uhi.actions import KIB, LOOKUP, PROVIDER_LOOKUP, Broadcast, Leg, Notice, Question  # noqa: E402
from uhi.conversation.settings import FilesSettings  # noqa: E402
from uhi.listing import ListingSettings  # noqa: E402
from uhi.messages.wire import Wire  # noqa: E402
from uhi.network import NETWORKS  # noqa: E402
from uhi.people import PeopleSettings  # noqa: E402
from uhi.settings import Settings  # noqa: E402

AnyLeg = Leg[Wire]
REFERENCE = ROOT / "docs" / "reference"
PAGES = ("*.md", "docs/**/*.md", "examples/**/*.md")
HEAD = "<!-- Written by docs/generate.py from the sources: change those, then run it. -->\n\n"

_BLOCK = re.compile(r"^```(?P<language>\w+) (?P<file>\S+/\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_API = ("uhi", "uhi.booking", "uhi.conversation", "uhi.files", "uhi.listing", "uhi.testing", "uhi.signing")
_WITH_METHODS = {"Participant", "Handlers", "Bookings", "ConsultationProvider", "Hospital", "Network", "Faults"}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(each) for each in line)} |\n" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _code(value: object) -> str:
    return f"`{value}`" if value not in ("", None) else ""


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _docstring(value: object) -> str:
    return inspect.getdoc(value) or ""


def errors_page() -> str:
    """Every error: the tree of classes, what peers are told, and business outcomes."""
    tree = "\n".join(line.removeprefix("    ") for line in _docstring(errors).splitlines() if line.startswith("    "))
    refusals = (
        (fault.status, _code(fault.code), _code(fault.type), fault.sentence, fault.resend.value, _code(name))
        for name, fault in sorted(faults.FAULTS.items(), key=lambda item: (item[1].status, item[1].code, item[0]))
    )
    outcomes = ((_code(each.code), each.sentence, _code(name)) for name, each in faults.OUTCOMES.items())
    return (
        "# Errors\n\nAll of them are in `uhi.errors`, and the codes that go on the wire in `uhi.faults`. `str()` of an "
        "error tells the operator what happened, what was got, what was expected, and what to do next.\n\n"
        f"```text\n{tree}\n```\n\n"
        "## What a peer is told: NACK\n\nA message that cannot be accepted is answered at once with this HTTP status "
        "and a body with code, type, sentence and JSON path. The sentence is fixed: nothing of the message is "
        "repeated. A 401 carries `WWW-Authenticate`, or `Proxy-Authenticate` where the gateway's header is at fault; "
        "429 and 503 carry `Retry-After`. On networks whose preset says so (see [settings](settings.md)) the status is "
        "200 and the body the same.\n\n"
        f"{table(('status', 'code', 'type', 'sentence', 'send again', 'in `uhi.faults`'), refusals)}\n"
        "## What a callback says: business outcomes\n\nNever a NACK: the request was accepted, and its callback "
        "carries this in `error`. A handler answers with one by returning `Decline(outcome)`.\n\n"
        f"{table(('code', 'sentence', 'in `uhi.faults`'), outcomes)}"
    )


def settings_page() -> str:
    """Every environment variable of the library and the programs, and the networks' presets."""
    presets = (
        (
            _code(each.name),
            each.senders_signature.value,
            _yes(each.always_200),
            _yes(each.offers_select),
            _yes(each.offers_online),
            _yes(each.is_local),
        )
        for each in NETWORKS.values()
    )
    head = (
        *("`UHI_NETWORK`", "sender's signature behind a gateway", "refusals as HTTP 200"),
        *("select", "teleconsultation", "http, private addresses, published keys"),
    )
    return (
        "# Settings\n\nPrograms read them from the environment when they start, and report every mistake at once. "
        "Keys are never among them: a variable names the key's file.\n\n"
        f"## Every program\n\n{_settings(Settings, ())}\n"
        f"## The gateway, besides\n\n{_settings(GatewaySettings, Settings.model_fields)}\n"
        f"## Every program that people use, besides\n\n{_settings(PeopleSettings, Settings.model_fields)}\n"
        f"## The registry, besides\n\n{_settings(RegistrySettings, PeopleSettings.model_fields)}\n"
        f"## Hospital and patient application, besides\n\n{_settings(FilesSettings, PeopleSettings.model_fields)}\n"
        f"## The hospital, besides\n\n{_settings(HospitalSettings, FilesSettings.model_fields)}\n"
        f"## The patient application, besides\n\n{_settings(PatientSettings, FilesSettings.model_fields)}\n"
        "## Blood banks, ambulances, Kendras, PM-JAY hospitals and laboratories, besides\n\n"
        "`<NAME>` is `BLOOD_BANK`, `AMBULANCE`, `PHARMACY`, `PMJAY` or `DIAGNOSTICS`.\n\n"
        f"{_settings(ListingSettings, (), prefix='UHI_<NAME>_')}\n"
        f"## The demo hospital, besides\n\n{_settings(DemoHospitalSettings, ())}\n"
        f"## Networks\n\n{_docstring(type(next(iter(NETWORKS.values()))))}\n\n{table(head, presets)}"
    )


def _settings(kind: type[BaseSettings], known: Iterable[str], *, prefix: str = "") -> str:
    prefix = prefix or kind.model_config["env_prefix"]
    fields = {name: field for name, field in kind.model_fields.items() if name not in known}
    rows = (
        (_code(f"{prefix}{name}".upper()), "required" if field.is_required() else _default(_default_of(field)))
        for name, field in fields.items()
    )
    return f"{_docstring(kind)}\n\n{table(('variable', 'default'), rows)}"


def _default_of(field: FieldInfo) -> object:
    """What stands where nothing is set; what the machine itself decides is told in words."""
    return field.default if field.default_factory is None else "the host's name"


def _default(value: object) -> str:
    return _code(str(value).lower() if isinstance(value, bool) else value) or "empty"


def actions_page() -> str:
    """The protocol: every action with its legs."""
    named = [(name, value) for name, value in vars(uhi.actions).items() if name.isupper()]
    head = (
        *("action", "path", "`context.action`", "message", "from → to", "through the gateway"),
        *("one body per `message_id`", "audit copy", "body, KiB", "JSON nodes", "per transaction"),
    )
    kinds = ((kind, [(name, value) for name, value in named if isinstance(value, kind)]) for kind in _KINDS)
    parts = [
        f"## {kind.__name__}\n\n{_docstring(kind)}\n\n{table(head, _action_rows(actions))}" for kind, actions in kinds
    ]
    relays = [("RELAYED_SEARCH", RELAYED_SEARCH), ("RELAYED_ON_SEARCH", RELAYED_ON_SEARCH)]
    registry = [("LOOKUP", LOOKUP), ("PROVIDER_LOOKUP", PROVIDER_LOOKUP)]
    return (
        "# Actions\n\nThe protocol as `uhi.actions` has it. A path is what follows a subscriber's registered address "
        "(`https://clinic.example/uhi` + `/search`). The last three columns are limits: the largest body, how many "
        "JSON values it may hold, and how many differing messages of one sender are taken in one transaction.\n\n"
        + "\n".join(parts)
        + "\n## At the gateway\n\nBeside the audit copies above. Bytes are passed on as they came.\n\n"
        + table(head, (_leg_row(name, leg) for name, leg in relays))
        + "\n## At the registry\n\nAnswered at once with records instead of an ACK.\n\n"
        + table(head, (_leg_row(name, leg) for name, leg in registry))
    )


_KINDS: tuple[type[object], ...] = (Question, Broadcast, Notice)


def _action_rows(actions: Iterable[tuple[str, object]]) -> Iterator[Sequence[object]]:
    for name, action in actions:
        if isinstance(action, Question | Broadcast):
            yield _leg_row(name, action.request)
            yield _leg_row(f"{name}.answer", action.answer)
        elif isinstance(action, Notice):
            yield _leg_row(name, action.leg)


def _leg_row(name: str, leg: AnyLeg) -> Sequence[object]:
    limits = leg.limits
    return (
        _code(name),
        _code(leg.path),
        ", ".join(_code(each) for each in leg.accepts),
        _code(leg.kind.__name__),
        f"{', '.join(each.value for each in leg.senders)} → {leg.receiver.value}",
        _yes(leg.forwarded),
        _yes(leg.single_shot),
        _code(leg.audit),
        limits.body // KIB,
        f"{limits.nodes:,}",
        f"{limits.per_transaction:,}",
    )


def api_page() -> str:
    """The public names with the beginning of their docstrings."""
    return (
        "# Public names\n\nWhat embedding programs import. The modules below these packages may be imported too, and "
        "their docstrings explain them; they change more often. `Participant.on` is that of `Handlers`.\n\n"
        + "\n".join(_package(name) for name in _API)
    )


def _package(package: str) -> str:
    module = import_module(package)
    names: list[str] = module.__all__
    rows = ((_code(name), _what(getattr(module, name))) for name in names)
    parts = [f"## {package}\n\n{_first(_docstring(module))}\n\n{table(('name', 'what it is'), rows)}"]
    return "\n".join([*parts, *(_methods(getattr(module, name)) for name in names if name in _WITH_METHODS)])


def _what(value: object) -> str:
    if isinstance(value, Mapping):
        return f"A mapping with the keys {', '.join(_code(key) for key in value)}."
    return _first(_docstring(value)) if callable(value) else f"A value of the class {_code(type(value).__name__)}."


def _methods(kind: type[object]) -> str:
    public = {name: value for name, value in vars(kind).items() if not name.startswith("_")}
    shown = ((name, inspect.unwrap(value)) for name, value in public.items() if callable(value) or _is_bound(value))
    rows = ((_code(name), _first(_docstring(value))) for name, value in shown)
    return f"### {kind.__name__}\n\n{table(('method', 'what it does'), rows)}"


def _is_bound(value: object) -> bool:
    return isinstance(value, classmethod | staticmethod | property)


def _first(text: str) -> str:
    """The first paragraph of a docstring, up to its Raises."""
    return text.split("\n\n", maxsplit=1)[0].partition("Raises:")[0].strip()


WRITERS: dict[str, Callable[[], str]] = {
    "actions.md": actions_page,
    "api.md": api_page,
    "cli.md": cli_page,
    "errors.md": errors_page,
    "settings.md": settings_page,
}
"""Every page of the reference by the name of its file."""


def with_blocks(text: str) -> str:
    """A page with the files in the code blocks that name one.

    Raises: FileNotFoundError for a block whose file is not there.
    """
    return _BLOCK.sub(
        lambda found: f"```{found['language']} {found['file']}\n{(ROOT / found['file']).read_text('utf-8')}```", text
    )


def expected() -> Iterator[tuple[Path, str]]:
    """Every page and the text it should have."""
    for name, write in WRITERS.items():
        yield REFERENCE / name, HEAD + write()
    for name, describe_interface in DESCRIPTIONS.items():
        yield REFERENCE / name, describe_interface()
    for page in sorted({page for pattern in PAGES for page in ROOT.glob(pattern)}):
        if page.parent != REFERENCE:
            yield page, with_blocks(page.read_text("utf-8"))


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with `--check` name those that are stale; returns the exit code."""
    pages = dict(expected())
    foreign = [page for page in REFERENCE.glob("*.*") if page not in pages]
    stale = [page for page, text in pages.items() if not page.exists() or page.read_text("utf-8") != text]
    if "--check" in arguments:
        for page in [*stale, *foreign]:
            print(f"{page.relative_to(ROOT)} is stale: run python docs/generate.py")
        return 1 if stale or foreign else 0
    for page in stale:
        page.write_text(pages[page], "utf-8")
    for page in foreign:
        page.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
