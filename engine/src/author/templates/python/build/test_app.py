"""Tests in ordinary Python. `stubs/` is made by `componentize-py -d wit -w hook bindings stubs`."""

import pathlib
import sys
import types
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parent / "stubs"))

import app

SOURCE = types.SimpleNamespace(revision="9f3c2a1", branch="main", checkout="/src", output="/out")


class Build(unittest.TestCase):
    def run_with(self, status):
        self.ran = []

        def run(host, command):
            self.ran.append([host, command.program, *command.args])
            return app.hosts.Output(status, "", "disk full", False)

        with mock.patch.object(app.hosts, "exec", run):
            return app.Build().run(None, SOURCE)

    def test_the_checkout_is_the_artifact(self):
        self.assertEqual(self.run_with(0), app.Artifact("", None, []))
        self.assertEqual(self.ran, [["builder", "/bin/cp", "-R", "/src/.", "/out"]])

    def test_an_exception_is_an_answer(self):
        with self.assertRaises(app.Err) as raised:
            self.run_with(1)
        self.assertIsInstance(raised.exception.value, app.HookError_Failed)


if __name__ == "__main__":
    unittest.main()
