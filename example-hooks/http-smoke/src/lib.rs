//! `builtin:http-smoke`: tries a list of HTTP requests against each instance of the idle colour.

mod expectation;
mod settings;

use cutover_hooks::http::{HttpError, Request};
use cutover_hooks::{Call, HookError, Instance, Outcome, SettingFault, SmokeTest, TestCase, engine};

pub use expectation::Expectation;
pub use settings::{Settings, Trial};

/// The hook.
#[derive(Debug)]
pub struct HttpSmoke;

cutover_hooks::export!(smoke_test: HttpSmoke);

impl SmokeTest for HttpSmoke {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn run(settings: &Settings, call: &Call) -> Result<Vec<TestCase>, HookError> {
        let total = u32::try_from(settings.requests.len() * call.instances.len()).unwrap_or(u32::MAX);
        let mut cases = Vec::new();
        for instance in &call.instances {
            for trial in &settings.requests {
                cases.push(case(trial, instance)?);
                engine::progress(u32::try_from(cases.len()).unwrap_or(u32::MAX), total, "requests");
            }
        }
        Ok(cases)
    }
}

fn case(trial: &Trial, instance: &Instance) -> Result<TestCase, HookError> {
    let began = engine::elapsed();
    let answer = request(trial, instance).send();
    let duration_ms = u32::try_from((engine::elapsed() - began).as_millis()).unwrap_or(u32::MAX);
    let fault = match answer {
        Ok(response) => trial.expect.fault(&response, duration_ms),
        Err(
            HttpError::Connect(reason)
            | HttpError::TimedOut(reason)
            | HttpError::Broken(reason)
            | HttpError::Tls(reason),
        ) => Some(reason),
        Err(error @ (HttpError::Denied(_) | HttpError::Other(_))) => return Err(error.into()),
    };
    let outcome = match fault {
        None => Outcome::Passed,
        Some(fault) => Outcome::Failed(format!("{}: {fault} ({duration_ms} ms)", trial.title())),
    };
    let labels = [
        ("host", instance.host.clone()),
        ("color", instance.color.to_string()),
        ("port", instance.port.to_string()),
    ];
    Ok(TestCase {
        name: trial.name.clone().unwrap_or_else(|| trial.title()),
        outcome,
        duration_ms,
        labels: labels.map(|(key, value)| (key.to_owned(), value)).into(),
    })
}

fn request(trial: &Trial, instance: &Instance) -> Request {
    let mut request = Request::to_instance(&trial.method, instance, &trial.path);
    if let Some(host) = &trial.host {
        request = request.as_name("http", host);
    }
    if let Some(json) = &trial.json {
        request = request.json(json);
    }
    if let Some(body) = &trial.body {
        request = request.body(body.as_str());
    }
    trial.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

#[cfg(test)]
mod tests {
    use cutover_hooks::{Color, fake};

    use super::*;

    fn run(settings: &str, hosts: &[&'static str]) -> Result<Vec<TestCase>, HookError> {
        let instances: Vec<Instance> =
            hosts.iter().map(|host| fake::instance(host, Color::Green, "10.0.0.11")).collect();
        let parsed = serde_json::from_str(settings).expect("settings");
        HttpSmoke::run(&parsed, &fake::call(settings, instances))
    }

    fn labels(host: &str) -> Vec<(String, String)> {
        [("host", host), ("color", "green"), ("port", "4002")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn each_request_is_a_case_on_each_instance() {
        let world = fake::World::install(["web1", "web2"]);
        world.http(|request| {
            engine::sleep(std::time::Duration::from_millis(212));
            let broken = request.via.as_deref() == Some("web2") && request.method == "POST";
            if broken { fake::response(500, &[], "") } else { fake::response(302, &[("location", "/")], "") }
        });
        let settings = r#"{"requests": [
            {"path": "/", "expect": {"status": 302, "headers": {"Location": "/"}}},
            {"name": "login-works", "method": "POST", "path": "/login", "json": {"user": "smoke"},
             "expect": {"status": 302}}
        ]}"#;
        let case = |name: &str, host, outcome| TestCase {
            name: name.to_owned(),
            outcome,
            duration_ms: 212,
            labels: labels(host),
        };
        assert_eq!(
            run(settings, &["web1", "web2"]).expect("cases"),
            [
                case("GET /", "web1", Outcome::Passed),
                case("login-works", "web1", Outcome::Passed),
                case("GET /", "web2", Outcome::Passed),
                case(
                    "login-works",
                    "web2",
                    Outcome::Failed("POST /login: want 302, got 500 (212 ms)".to_owned())
                ),
            ]
        );
    }

    #[test]
    fn what_is_sent() {
        let settings: Settings = serde_json::from_str(
            r#"{"requests": [{"method": "PUT", "path": "/a", "host": "shop.example.com", "json": [1],
                "headers": {"x-tenant": "t"}}]}"#,
        )
        .expect("settings");
        let request = request(&settings.requests[0], &fake::instance("web1", Color::Green, "10.0.0.11"));
        let mut expected = Request::new("PUT", "http://shop.example.com/a")
            .via("web1")
            .connect_to("127.0.0.1:4002")
            .header("content-type", "application/json")
            .header("x-tenant", "t");
        expected.body = Some(b"[1]".to_vec());
        assert_eq!(request, expected);
    }

    #[test]
    fn no_connection_is_a_failed_case_and_a_refusal_an_error() {
        let world = fake::World::install(["web1"]);
        let settings = r#"{"requests": [{"path": "/"}]}"#;
        let cases = run(settings, &["web1"]).expect("cases");
        assert_eq!(
            cases[0].outcome,
            Outcome::Failed("GET /: 127.0.0.1:4002: connection refused (0 ms)".to_owned())
        );
        world.http(|_| Err(HttpError::Denied("not granted".to_owned())));
        assert_eq!(run(settings, &["web1"]), Err(HookError::Denied("not granted".to_owned())));
    }
}
