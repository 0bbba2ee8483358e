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

@ANSWERING@


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


@GET@
