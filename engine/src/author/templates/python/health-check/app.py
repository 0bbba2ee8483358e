"""Whether one instance is healthy: asked again and again, until it is or the time is up."""

import functools
import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.health_check import Health_Healthy, Health_Starting, Health_Unhealthy
from wit_world.imports import http_client
from wit_world.imports.hook_types import (
    HookError_Denied,
    HookError_Failed,
    HookError_Other,
    HookError_Temporary,
    SettingFault,
)

@ANSWERING@


class HealthCheck(exports.HealthCheck):
    def validate(self, settings):
        """Faults of the settings table in cutover.toml, asked before anything runs."""
        settings = json.loads(settings)
        faults = [SettingFault(key, "there is no such key: `path` is accepted") for key in settings if key != "path"]
        path = settings.get("path", "/")
        if not str(path).startswith("/"):
            faults.append(SettingFault("path", f"`{path}` does not begin with `/`"))
        return faults

    @answering
    def check(self, call, instance):
        path = json.loads(call.settings).get("path", "/")
        try:
            answer = get(instance, path)
        except Err as error:
            if isinstance(error.value, http_client.HttpError_Denied):
                raise
            return Health_Starting(str(error.value.value))
        if answer.status == 200:
            return Health_Healthy(release(call, answer))
        if answer.status == 503:
            return Health_Starting("answers 503")
        return Health_Unhealthy(f"answers {answer.status}")


def release(call, answer):
    """The release that the instance says it runs, where the configuration names a header for it."""
    marker = dict(call.facts).get("marker-header", "")
    return dict(answer.headers).get(marker.lower())


@GET@
