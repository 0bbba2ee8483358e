"""A hook of every kind that does what its settings say, in Python. What it answers is the same in every language."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.build import Artifact
from wit_world.exports.health_check import Health_Starting
from wit_world.exports.router import Observation, Routing
from wit_world.exports.smoke_test import Outcome_Failed, Outcome_Passed, Outcome_Skipped, TestCase
from wit_world.imports import hosts, http_client
from wit_world.imports.hook_types import (
    Color,
    HookError_Denied,
    HookError_Failed,
    HookError_Other,
    HookError_Temporary,
    SettingFault,
)


def faults(settings):
    return [] if "case" in json.loads(settings) else [SettingFault("", "missing field `case`")]


def get(url):
    return http_client.send(http_client.Request("GET", url, None, None, [], [], None, None, False, None))


def act(call):
    settings = json.loads(call.settings)
    match settings["case"]:
        case "answers":
            return "hello"
        case "denied":
            raise Err(HookError_Denied("not for me\nhint: ask for it"))
        case "temporary":
            raise Err(HookError_Temporary("later"))
        case "failed":
            raise Err(HookError_Failed("broken"))
        case "other":
            raise Err(HookError_Other(("E42", "strange")))
        case "crash":
            raise RuntimeError("nobody expects this")
        case "refused":
            try:
                return str(get("http://192.0.2.1/").status)
            except Err as error:
                assert isinstance(error.value, http_client.HttpError_Denied)
                raise Err(HookError_Denied(error.value.value))
        case "http":
            answer = get(settings["url"])
            return f"{answer.status} {answer.text}"
        case "exec":
            command = hosts.Command("/bin/echo", ["hello"], [], [], None, None, None, False, None)
            output = hosts.exec("web1", command)
            return f"{output.status} {output.out.strip()}"


class Build(exports.Build):
    def validate(self, settings):
        return faults(settings)

    def run(self, call, source):
        return Artifact("dist", act(call), [("branch", source.branch)])


class HealthCheck(exports.HealthCheck):
    def validate(self, settings):
        return faults(settings)

    def check(self, call, instance):
        return Health_Starting(act(call))


class SmokeTest(exports.SmokeTest):
    def validate(self, settings):
        return faults(settings)

    def run(self, call):
        return [
            TestCase(act(call), Outcome_Passed(), 7, []),
            TestCase(str(call.instances[0].port), Outcome_Failed("no"), 7, []),
            TestCase(call.app, Outcome_Skipped("not today"), 7, []),
        ]


class Router(exports.Router):
    def validate(self, settings):
        return faults(settings)

    def features(self, call):
        return ["weights", "hosts"]

    def observe(self, call, router):
        return Observation(Routing(25, 75, ["web1"]), True, [("router", router)])

    def prepare(self, call, router, want):
        return act(call)

    def apply(self, call, router, want):
        if want.green != 100:
            raise Err(HookError_Failed(f"green {want.green}"))

    def discard(self, call, router):
        pass

    def connections(self, call, router, color):
        return 3 if color == Color.BLUE else None
