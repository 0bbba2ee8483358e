"""Tests the idle colour before it gets traffic."""

import functools
import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.smoke_test import Outcome_Failed, Outcome_Passed, TestCase
from wit_world.imports import engine, http_client
from wit_world.imports.hook_types import (
    HookError_Denied,
    HookError_Failed,
    HookError_Other,
    HookError_Temporary,
    SettingFault,
)

ERRORS = (HookError_Denied, HookError_Temporary, HookError_Failed, HookError_Other)
WORTH_ANOTHER_TRY = ("Unreachable", "Connect", "Broken", "TimedOut")


def answering(ask):
    """An exception that is none of the contract would be a crash: it becomes `failed`, with its text."""

    @functools.wraps(ask)
    def answer(*words):
        try:
            return ask(*words)
        except Err as error:
            if isinstance(error.value, ERRORS):
                raise
            raise Err(failure(error.value)) from error
        except Exception as error:
            raise Err(HookError_Failed(f"{type(error).__name__}: {error}")) from error

    return answer


def failure(error):
    """What an import has raised: `HttpError_Connect("…")`."""
    tag = type(error).__name__.split("_")[-1]
    if tag == "Denied":
        return HookError_Denied(error.value)
    text = f"{tag}: {error.value}"
    return HookError_Temporary(text) if tag in WORTH_ANOTHER_TRY else HookError_Failed(text)


class SmokeTest(exports.SmokeTest):
    def validate(self, settings):
        """Faults of the settings table in cutover.toml, asked before anything runs."""
        settings = json.loads(settings)
        faults = [SettingFault(key, "there is no such key: `path` is accepted") for key in settings if key != "path"]
        path = settings.get("path", "/")
        if not str(path).startswith("/"):
            faults.append(SettingFault("path", f"`{path}` does not begin with `/`"))
        return faults

    @answering
    def run(self, call):
        path = json.loads(call.settings).get("path", "/")
        cases = []
        for instance in call.instances:
            begun = engine.elapsed_ms()
            status = get(instance, path).status
            outcome = Outcome_Passed() if status == 200 else Outcome_Failed(f"answers {status}")
            cases.append(TestCase(f"{path} on {instance.host}", outcome, engine.elapsed_ms() - begun, []))
        return cases


def get(instance, path):
    """Starts from the instance's own host, where it may listen on loopback alone."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(instance.listen, instance.listen)
    address = f"[{local}]" if ":" in local else local
    url = f"http://{address}:{instance.port}{path}"
    return http_client.send(http_client.Request("GET", url, instance.host, None, [], [], None, None, False, 5000))
