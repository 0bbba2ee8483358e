"""A health check out of the contract in wit/ alone: what an author in Python writes."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.health_check import Health_Healthy, Health_Starting, Health_Unhealthy
from wit_world.imports import engine, http_client
from wit_world.imports.hook_types import HookError_Denied, SettingFault


class HealthCheck(exports.HealthCheck):
    def validate(self, settings):
        unknown = [key for key in json.loads(settings) if key not in ("path", "throw")]
        return [SettingFault(key, "there is no such key: `path` is accepted") for key in unknown]

    def check(self, call, instance):
        settings = json.loads(call.settings)
        if "throw" in settings:
            raise KeyError(settings["throw"])
        url = f"http://{instance.listen}:{instance.port}{settings['path']}"
        request = http_client.Request("GET", url, instance.host, None, [], [], None, None, False, 2000)
        try:
            answer = http_client.send(request)
        except Err as error:
            if isinstance(error.value, http_client.HttpError_Denied):
                raise Err(HookError_Denied(error.value.value))
            return Health_Starting(f"{type(error.value).__name__}: {error.value.value}")
        engine.log(engine.Level.INFO, f"python: status {answer.status}")
        if answer.status != 200:
            return Health_Unhealthy(f"status {answer.status}")
        return Health_Healthy(dict(answer.headers).get("x-release"))
