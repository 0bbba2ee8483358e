"""Tests in ordinary Python. `stubs/` is made by `componentize-py -d wit -w hook bindings stubs`."""

import pathlib
import sys
import types
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parent / "stubs"))

import app

INSTANCE = types.SimpleNamespace(host="web1", listen="0.0.0.0", address="10.0.0.11", port=4002)
CALL = types.SimpleNamespace(
    settings='{"path": "/up"}', facts=[("marker-header", "x-release")], instances=[INSTANCE]
)


def answer(status, headers=(), text=""):
    return app.http_client.Response(status, list(headers), text, b"", False)


class HealthCheck(unittest.TestCase):
    def check(self, send):
        with mock.patch.object(app.http_client, "send", send):
            return app.HealthCheck().check(CALL, INSTANCE)

    def test_healthy_with_the_release_that_it_says(self):
        asked = []

        def send(request):
            asked.append((request.method, request.url, request.via))
            return answer(200, [("x-release", "r2")])

        self.assertEqual(self.check(send), app.Health_Healthy("r2"))
        self.assertEqual(asked, [("GET", "http://127.0.0.1:4002/up", "web1")])
        self.assertEqual(self.check(lambda _: answer(500)), app.Health_Unhealthy("answers 500"))

    def test_an_exception_is_an_answer(self):
        with self.assertRaises(app.Err) as raised:
            self.check(lambda _: None)
        self.assertIsInstance(raised.exception.value, app.HookError_Failed)

    def test_settings_are_checked(self):
        faults = app.HealthCheck().validate('{"path": "up"}')
        self.assertEqual([fault.key for fault in faults], ["path"])


if __name__ == "__main__":
    unittest.main()
