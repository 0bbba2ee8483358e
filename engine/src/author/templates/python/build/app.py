"""Turns a checkout into an artifact, on the host that builds."""

import functools
import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.build import Artifact
from wit_world.imports import hosts
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


class Build(exports.Build):
    def validate(self, settings):
        """Faults of the settings table in cutover.toml, asked before anything runs."""
        return [SettingFault(key, "there are no settings") for key in json.loads(settings)]

    @answering
    def run(self, call, source):
        run("/bin/cp", ["-R", f"{source.checkout}/.", source.output])
        return Artifact("", None, [])


def run(program, args):
    """Runs a program that has to end with status 0. There is no shell."""
    output = hosts.exec("builder", hosts.Command(program, args, [], [], None, None, None, False, None))
    if output.status != 0:
        raise RuntimeError(f"`{program}` ended with status {output.status}\n{output.errors}")
