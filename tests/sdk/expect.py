"""What the checks of all clients share: what is asked, and what the mock is known to say."""

import json

TIMEOUT = 20.0

SYSTEM = "Answer as a harbour master."
HELLO = "Hello from the check, with an umlaut: ü and a ship: ⛵"
WEATHER = "How is the weather?"
PARALLEL = "Please do both in parallel."
STOP = "built-in"

WEATHER_SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "the city"},
        "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer"},
    },
    "required": ["city", "unit"],
}

ANSWER_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["city", "population"],
    "additionalProperties": False,
}

# The smallest PNG there is: one transparent pixel, 68 bytes.
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII="
)
PICTURE = "https://example.com/ship.png"


class Skipped(Exception):
    """This check says nothing about this pair."""


def pictures(provider, by_bytes, by_address):
    """Pictures to show, each with what the mock sees. Ollama fetches nothing."""
    found = [(by_bytes, "image/png of 68 bytes")]
    return found if provider == "ollama" else found + [(by_address, PICTURE)]


def equal(found, wanted, what):
    assert found == wanted, f"{what} is {found!r}, not {wanted!r}"


def contains(text, piece, what="the text"):
    assert piece in (text or ""), f"{what} lacks {piece!r}: {text!r}"


def hello(text):
    contains(text, f'You said: "{HELLO}"')


def quotes(text, *results):
    for result in results:
        contains(text, result, "the answer to the tools' results")


def weather(arguments):
    if isinstance(arguments, str):
        arguments = json.loads(arguments)
    equal(dict(arguments), {"city": "x", "unit": "celsius"}, "what the tool is called with")


def nothing(arguments):
    if isinstance(arguments, str):
        arguments = json.loads(arguments or "{}")
    equal(dict(arguments or {}), {}, "what the tool without parameters is called with")


def structured(text):
    answer = json.loads(text)
    equal(sorted(answer), ["city", "population"], "the fields of the structured answer")
    assert isinstance(answer["city"], str) and isinstance(answer["population"], int), answer


def positive(**numbers):
    for name, number in numbers.items():
        assert isinstance(number, int) and number > 0, f"{name} is {number!r}"


def raises(kind, ask, status=None):
    """`ask` fails with this class of the client's own errors."""
    try:
        found = ask()
    except kind as error:
        if status is not None:
            code = getattr(error, "status_code", None) or getattr(error, "code", None)
            assert code in status, f"status is {code!r}, not one of {status}"
        return error
    raise AssertionError(f"no {kind.__name__}, but {found!r:.300}")
