"""Tests in ordinary Python. `stubs/` is made by `componentize-py -d wit -w hook bindings stubs`."""

import pathlib
import sys
import types
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parent / "stubs"))

import app

CALL = types.SimpleNamespace(settings='{"url": "http://127.0.0.1:9000/live"}', facts=[])


class Router(unittest.TestCase):
    def setUp(self):
        self.live = "blue"
        patch = mock.patch.object(app.http_client, "send", self.send)
        patch.start()
        self.addCleanup(patch.stop)

    def send(self, request):
        if request.method == "PUT":
            self.live = request.body.decode()
        return app.http_client.Response(200, [], self.live + "\n", b"", False)

    def test_what_is_applied_is_observed(self):
        router = app.Router()
        for blue, green in [(0, 100), (0, 0), (100, 0)]:
            want = app.Routing(blue, green, [])
            router.apply(CALL, "lb1", want)
            self.assertEqual(router.observe(CALL, "lb1").routing, want)
        self.assertEqual(router.prepare(CALL, "lb1", app.Routing(0, 100, [])), "-blue\n+green\n")

    def test_an_exception_is_an_answer(self):
        self.live = "purple"
        with self.assertRaises(app.Err) as raised:
            app.Router().observe(CALL, "lb1")
        self.assertIsInstance(raised.exception.value, app.HookError_Failed)


if __name__ == "__main__":
    unittest.main()
