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


class SmokeTest(unittest.TestCase):
    def outcome(self, status):
        with mock.patch.object(app.http_client, "send", lambda _: answer(status)):
            with mock.patch.object(app.engine, "elapsed_ms", lambda: 7):
                [case] = app.SmokeTest().run(CALL)
        self.assertEqual(case.name, "/up on web1")
        return case.outcome

    def test_a_case_for_each_instance(self):
        self.assertEqual(self.outcome(200), app.Outcome_Passed())
        self.assertEqual(self.outcome(500), app.Outcome_Failed("answers 500"))

    def test_settings_are_checked(self):
        faults = app.SmokeTest().validate('{"path": "up"}')
        self.assertEqual([fault.key for fault in faults], ["path"])


if __name__ == "__main__":
    unittest.main()
