"""Asks every provider through every official client and checks what comes back.

    python check.py --base-url http://127.0.0.1:8080 --key KEY --models openai=NAME,anthropic=NAME,gemini=NAME,ollama=NAME

NAME is what the gateway calls a model of that provider; behind it stands `causeway mock`. Directly against the mock
(each client asks its own vendor only):

    causeway mock --listen 127.0.0.1:9999 --key KEY
    python check.py --base-url http://127.0.0.1:9999 --key KEY --direct

One line per check (`ok openai→anthropic stream`), a summary, and an exit code that is not 0 when one failed.
"""

import argparse
import sys
import time
import traceback

import expect
from with_anthropic import WithAnthropic
from with_gemini import WithGemini
from with_ollama import WithOllama
from with_openai import WithOpenAI

CLIENTS = {"openai": WithOpenAI, "anthropic": WithAnthropic, "gemini": WithGemini, "ollama": WithOllama}
PROVIDERS = tuple(CLIENTS)


def pairs(text):
    """`openai=a,gemini=b` as a dict."""
    found = {}
    for pair in filter(None, text.split(",")):
        provider, separator, model = pair.partition("=")
        if not separator or provider not in PROVIDERS:
            raise argparse.ArgumentTypeError(f"{pair!r} is not PROVIDER=MODEL; providers are {', '.join(PROVIDERS)}")
        found[provider] = model
    return found


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", required=True, help="where the gateway (or the mock) listens, without /v1")
    parser.add_argument("--key", required=True, help="a key that is known")
    parser.add_argument("--wrong-key", default="sk-this-key-is-not-known")
    parser.add_argument("--models", type=pairs, default={name: "mock" for name in PROVIDERS})
    parser.add_argument(
        "--thinking", type=pairs, default={}, help="models that reason; without it, each model's name with -think behind it"
    )
    parser.add_argument("--unknown-model", default="unknown-model")
    parser.add_argument("--clients", default=",".join(CLIENTS), help="which clients ask, separated by commas")
    parser.add_argument("--only", default="", help="only checks with this in their name")
    parser.add_argument("--direct", action="store_true", help="each client asks its own provider only: the mock itself")
    parser.add_argument(
        "--faults", action="store_true", help="also the faults the mock makes; needs model names that keep an @fault=…"
    )
    parser.add_argument("--verbose", action="store_true", help="show where a check failed")
    return parser.parse_args()


def checks_of(suite, only, faults):
    for name in sorted(name for name in dir(suite) if name.startswith("check_")):
        title = name.removeprefix("check_").replace("_", "-")
        if only in title and (faults or not title.startswith("fault")):
            yield title, getattr(suite, name)


def run_one(title, check, verbose):
    start = time.monotonic()
    try:
        check()
    except expect.Skipped as reason:
        print(f"-- {title} ({reason})")
        return None
    except Exception as error:  # A check may fail in any way a client can fail.
        print(f"FAILED {title}: {type(error).__name__}: {str(error)[:600]}")
        if verbose:
            traceback.print_exc(file=sys.stdout)
        return False
    print(f"ok {title} ({(time.monotonic() - start) * 1000:.0f} ms)")
    return True


def main():
    options = arguments()
    passed = failed = 0
    for client in options.clients.split(","):
        for provider, model in options.models.items():
            if options.direct and provider != client:
                continue
            thinking = options.thinking.get(provider, f"{model}-think")
            suite = CLIENTS[client](options, provider, model, thinking)
            for title, check in checks_of(suite, options.only, options.faults):
                outcome = run_one(f"{client}→{provider} {title}", check, options.verbose)
                passed += outcome is True
                failed += outcome is False
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
