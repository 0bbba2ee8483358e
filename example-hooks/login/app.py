"""Logs in to the idle colour as a person would: the form with what is hidden in it, the password, the cookies, a page, an API."""

import json
from html.parser import HTMLParser
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.smoke_test import Outcome_Failed, Outcome_Passed, Outcome_Skipped, TestCase
from wit_world.imports import engine, secret_text
from wit_world.imports.hook_types import HookError_Denied, HookError_Failed, HookError_Temporary, SettingFault
from wit_world.imports.http_client import HttpError_Denied, Request, send

REQUIRED = {"user": "who logs in", "password": "the name of the secret that is the password"}
DEFAULTS = {"form": "/login", "user-field": "user", "password-field": "password", "page": "/", "says": "", "api": ""}
REDIRECTS = 5


class SmokeTest(exports.SmokeTest):
    def validate(self, settings):
        settings = json.loads(settings)
        known = [*REQUIRED, *DEFAULTS]
        faults = [
            SettingFault(key, f"there is no such key: {', '.join(f'`{name}`' for name in known)} are accepted")
            for key in settings
            if key not in known
        ]
        faults += [SettingFault("", f"lacks `{key}`: {what}") for key, what in REQUIRED.items() if key not in settings]
        faults += [
            SettingFault(key, f"is no text: {json.dumps(value)}")
            for key, value in settings.items()
            if key in known and not isinstance(value, str)
        ]
        faults += [
            SettingFault(key, f"`{settings[key]}` does not begin with `/`")
            for key in ("form", "page", "api")
            if isinstance(settings.get(key), str) and settings[key] and not settings[key].startswith("/")
        ]
        return faults

    def run(self, call):
        settings = DEFAULTS | json.loads(call.settings)
        try:
            password = secret_text.reveal(settings["password"])
        except Err as error:
            raise Err(HookError_Denied(str(error.value.value)))
        return [case for instance in call.instances for case in visit(instance, settings, password)]


def visit(instance, settings, password):
    """The steps at one instance. What comes after one that failed is skipped."""
    browser = Browser(instance)
    steps = {
        "login": lambda: log_in(browser, settings, password),
        "page": lambda: see_page(browser, settings),
        "api": lambda: ask_api(browser, settings),
    }
    failed = None
    for name, step in steps.items():
        if name == "api" and not settings["api"]:
            continue
        begun = engine.elapsed_ms()
        if failed:
            outcome = Outcome_Skipped(f"{failed} failed")
        else:
            try:
                step()
                outcome = Outcome_Passed()
            except Wrong as wrong:
                failed, outcome = name, Outcome_Failed(str(wrong))
        yield TestCase(f"{name} on {instance.host}", outcome, engine.elapsed_ms() - begun, [])


def log_in(browser, settings, password):
    answer = browser.ask("GET", settings["form"])
    expect(answer.status == 200, f"`{settings['form']}` answers {answer.status}")
    form = Form.of(answer.text, settings["password-field"])
    expect(form is not None, f"`{settings['form']}` has no form with a field `{settings['password-field']}`")
    fields = form.fields | {settings["user-field"]: settings["user"], settings["password-field"]: password}
    answer = browser.ask("POST", urljoin(settings["form"], form.action), urlencode(fields))
    expect(answer.status < 400, f"logging in is answered with {answer.status}")
    again = Form.of(answer.text, settings["password-field"])
    expect(again is None, f"`{settings['user']}` is not let in: the form is shown again")
    expect(browser.cookies, "logging in sets no cookie")


def see_page(browser, settings):
    answer = browser.ask("GET", settings["page"])
    expect(answer.status == 200, f"`{settings['page']}` answers {answer.status}")
    expect(settings["says"] in answer.text, f"`{settings['page']}` does not say `{settings['says']}`")


def ask_api(browser, settings):
    answer = browser.ask("GET", settings["api"], accept="application/json")
    expect(answer.status == 200, f"`{settings['api']}` answers {answer.status}")
    try:
        said = json.loads(answer.text)
    except ValueError:
        raise Wrong(f"`{settings['api']}` answers no JSON")
    user = said.get("user") if isinstance(said, dict) else None
    expect(user == settings["user"], f"`{settings['api']}` says that the user is {json.dumps(user)}")


class Wrong(Exception):
    """The application does not do what it should."""


def expect(is_so, otherwise):
    if not is_so:
        raise Wrong(otherwise)


class Browser:
    """Keeps cookies, and follows redirects to the same instance: the engine follows none."""

    def __init__(self, instance):
        local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(instance.listen, instance.listen)
        address = f"[{local}]" if ":" in local else local
        self.origin, self.host = f"http://{address}:{instance.port}", instance.host
        self.cookies = {}

    def ask(self, method, path, body=None, accept="text/html"):
        for _ in range(REDIRECTS):
            answer = self.once(method, path, body, accept)
            location = dict(answer.headers).get("location")
            if answer.status not in (301, 302, 303, 307, 308) or location is None:
                return answer
            # Under whatever name the application thinks it is reached.
            to = urlsplit(urljoin(self.origin + path, location))
            path = to.path + (f"?{to.query}" if to.query else "")
            if answer.status < 307:
                method, body = "GET", None
        raise Wrong(f"`{path}` comes after more than {REDIRECTS} redirects")

    def once(self, method, path, body, accept):
        headers = [("accept", accept)]
        if self.cookies:
            headers.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        if body is not None:
            headers.append(("content-type", "application/x-www-form-urlencoded"))
        content = None if body is None else body.encode()
        request = Request(method, self.origin + path, self.host, None, headers, [], content, None, False, 10_000)
        try:
            answer = send(request)
        except Err as error:
            # Denied is for the operator to see to, and no connection may be one in a moment.
            kind = HookError_Denied if isinstance(error.value, HttpError_Denied) else HookError_Temporary
            raise Err(kind(str(error.value.value)))
        if answer.truncated:
            raise Err(HookError_Failed(f"`{path}` answers with more than fits"))
        for name, value in answer.headers:
            if name == "set-cookie":
                self.keep(value)
        return answer

    def keep(self, header):
        try:
            cookies = SimpleCookie(header)
        except CookieError:
            raise Wrong(f"`{header}` is no cookie")
        for name, cookie in cookies.items():
            if cookie["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = cookie.coded_value


class Form(HTMLParser):
    """The forms of a page, with the fields that a browser would send as they stand there."""

    @classmethod
    def of(cls, text, field):
        """The one with a field of this name; none where there is none."""
        parser = cls()
        parser.feed(text)
        return next((form for form in parser.forms if field in form.names), None)

    def __init__(self):
        super().__init__()
        self.forms = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append(Fields(attributes.get("action") or ""))
        elif tag == "input" and self.forms and attributes.get("name"):
            self.forms[-1].names.add(attributes["name"])
            if attributes.get("type") == "hidden":
                self.forms[-1].fields[attributes["name"]] = attributes.get("value") or ""


class Fields:
    def __init__(self, action):
        self.action, self.names, self.fields = action, set(), {}
