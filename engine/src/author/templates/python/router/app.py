"""Moves traffic: a balancer that tells and takes its live colour at one URL."""

import functools
import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.router import Observation, Routing
from wit_world.imports import http_client
from wit_world.imports.hook_types import (
    HookError_Denied,
    HookError_Failed,
    HookError_Other,
    HookError_Temporary,
    SettingFault,
)

SHARES = {"blue": (100, 0), "green": (0, 100), "none": (0, 0)}

@ANSWERING@


class Router(exports.Router):
    @answering
    def features(self, call):
        """Beyond all requests to one colour: none at all."""
        return ["maintenance"]

    def validate(self, settings):
        """Faults of the settings table in cutover.toml, asked before anything runs."""
        settings = json.loads(settings)
        faults = [SettingFault(key, "there is no such key: `url` is accepted") for key in settings if key != "url"]
        url = settings.get("url", "")
        if not str(url).startswith(("http://", "https://")):
            faults.append(SettingFault("url", f"`{url}` is no URL: `http://…` or `https://…`"))
        return faults

    @answering
    def observe(self, call, router):
        """What the balancer does now. Nothing may be changed here: the engine refuses every method but GET and HEAD."""
        blue, green = SHARES[ask(call, router, "GET")]
        return Observation(Routing(blue, green, []), True, [])

    @answering
    def prepare(self, call, router, want):
        """What would change, for people."""
        # The once-only set-up is asked for without a router to speak to.
        if "setup" in dict(call.facts):
            return "# nothing has to be installed: the balancer is told over HTTP\n"
        now, then = ask(call, router, "GET"), wanted(want)
        return "" if now == then else f"-{now}\n+{then}\n"

    @answering
    def apply(self, call, router, want):
        ask(call, router, "PUT", wanted(want).encode())

    @answering
    def discard(self, call, router):
        pass

    @answering
    def connections(self, call, router, color):
        """The balancer can't tell."""
        return None


def wanted(want):
    """`features` names neither `weights` nor `hosts`, so nothing else is asked than what `SHARES` has."""
    for word, share in SHARES.items():
        if share == (want.blue, want.green):
            return word
    raise ValueError("the balancer can't share requests")


def ask(call, router, method, body=None):
    """What the balancer says is live, after it was told or only asked."""
    url = json.loads(call.settings)["url"]
    request = http_client.Request(method, url, router, None, [], [], body, None, False, 5000)
    answer = http_client.send(request)
    if answer.status != 200:
        text = f"{method} {url} answered {answer.status}"
        raise Err(HookError_Temporary(text) if answer.status >= 500 else HookError_Failed(text))
    live = answer.text.strip()
    if live not in SHARES:
        raise ValueError(f"the balancer names no colour: `{live}`")
    return live
