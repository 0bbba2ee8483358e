//! `builtin:http-health`: asks an instance over HTTP whether it is healthy.

mod settings;
mod verdict;

use cutover_hooks::http::{HttpError, Request};
use cutover_hooks::{Call, Health, HealthCheck, HookError, Instance, SettingFault};

pub use settings::{Scheme, Settings};

/// The hook.
#[derive(Debug)]
pub struct HttpHealth;

cutover_hooks::export!(health_check: HttpHealth);

impl HealthCheck for HttpHealth {
    type Settings = Settings;

    fn faults(settings: &Settings) -> Vec<SettingFault> {
        settings.faults()
    }

    fn check(settings: &Settings, call: &Call, instance: &Instance) -> Result<Health, HookError> {
        match request(settings, instance).send() {
            Ok(response) => Ok(verdict::of(settings, call, &response)),
            // Nothing listens yet: the usual state of a process that was started a moment ago.
            Err(HttpError::Connect(reason)) => Ok(Health::Starting(reason)),
            Err(HttpError::TimedOut(reason) | HttpError::Broken(reason) | HttpError::Tls(reason)) => {
                Ok(Health::Unhealthy(reason))
            }
            Err(error @ (HttpError::Denied(_) | HttpError::Other(_))) => Err(error.into()),
        }
    }
}

fn request(settings: &Settings, instance: &Instance) -> Request {
    let request = Request::to_instance("GET", instance, &settings.path);
    let request = match (&settings.host, settings.scheme) {
        (Some(host), scheme) => request.as_name(scheme.as_str(), host),
        (None, Scheme::Https) => request.as_name("https", &instance.local_authority()),
        (None, Scheme::Http) => request,
    };
    settings.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

#[cfg(test)]
mod tests {
    use cutover_hooks::{Color, fake};

    use super::*;

    fn check(settings: &str, answer: (u16, &'static [(&'static str, &'static str)], &'static str)) -> Health {
        let world = fake::World::install(["web1"]);
        world.http(move |request| {
            assert_eq!(request.via.as_deref(), Some("web1"));
            fake::response(answer.0, answer.1, answer.2)
        });
        ask(settings, &[("marker-header", "x-release")]).expect("an answer")
    }

    fn ask(settings: &str, facts: &[(&str, &str)]) -> Result<Health, HookError> {
        let instance = fake::instance("web1", Color::Green, "10.0.0.11");
        let mut call = fake::call(settings, vec![instance.clone()]);
        call.facts = facts.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        HttpHealth::check(&serde_json::from_str(settings).expect("settings"), &call, &instance)
    }

    #[test]
    fn healthy_with_the_release_that_the_instance_names() {
        assert_eq!(check("{}", (200, &[("x-release", "r2")], "ok")), Health::Healthy(Some("r2".to_owned())));
    }

    #[test]
    fn an_answer_without_the_marker_proves_nothing() {
        assert_eq!(
            check("{}", (200, &[], "ok")),
            Health::Unhealthy("200, but no header `x-release` that names the release".to_owned())
        );
    }

    #[test]
    fn a_status_or_body_that_was_not_asked_for_is_shown() {
        assert_eq!(
            check("{}", (500, &[], "\nKeyError: SESSION_SALT\n  at lib/session.ex:14")),
            Health::Unhealthy("GET /up: want 200 to 299, got 500: KeyError: SESSION_SALT".to_owned())
        );
        let settings = r#"{"path": "/ready?deep=1", "status": 204, "host": "shop.example.com"}"#;
        assert_eq!(
            check(settings, (302, &[], "")),
            Health::Unhealthy("GET /ready?deep=1: want 204, got 302".to_owned())
        );
        assert_eq!(
            check(r#"{"body-contains": "database ok"}"#, (200, &[("x-release", "r2")], "database down")),
            Health::Unhealthy("GET /up: 200, but the body has no `database ok`: database down".to_owned())
        );
    }

    #[test]
    fn a_marker_in_json() {
        let world = fake::World::install(["web1"]);
        world.http(|_| fake::response(200, &[], r#"{"app": {"release": "r2", "pid": 12}}"#));
        let ask = |pointer| ask("{}", &[("marker-json", pointer)]).expect("an answer");
        assert_eq!(ask("/app/release"), Health::Healthy(Some("r2".to_owned())));
        assert_eq!(
            ask("/app/pid"),
            Health::Unhealthy("200, but no text at `/app/pid` that names the release".to_owned())
        );
    }

    #[test]
    fn a_process_that_does_not_listen_yet_is_starting() {
        fake::World::install(["web1"]);
        assert_eq!(ask("{}", &[]), Ok(Health::Starting("127.0.0.1:4002: connection refused".to_owned())));
    }

    #[test]
    fn what_was_not_granted_is_no_verdict() {
        let world = fake::World::install(["web1"]);
        world.http(|_| Err(HttpError::Denied("grants.http has no `instances`".to_owned())));
        assert_eq!(ask("{}", &[]), Err(HookError::Denied("grants.http has no `instances`".to_owned())));
    }

    #[test]
    fn a_name_and_headers_go_to_the_same_address() {
        let settings = r#"{"host": "shop.example.com", "scheme": "https", "headers": {"x-probe": "1"}}"#;
        let instance = fake::instance("web1", Color::Green, "10.0.0.11");
        let request = request(&serde_json::from_str(settings).expect("settings"), &instance);
        assert_eq!(request.url, "https://shop.example.com/up");
        assert_eq!(request.connect_to.as_deref(), Some("127.0.0.1:4002"));
        assert_eq!(request.headers, [("x-probe".to_owned(), "1".to_owned())]);
    }
}
