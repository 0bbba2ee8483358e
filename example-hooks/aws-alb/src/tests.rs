//! The hook against an API that is scripted on the fake host.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cutover_hooks::fake::{self, World};
use cutover_hooks::http::{HttpError, Request};
use cutover_hooks::{Call, Color, HookError, Observation, Router, Routing};

use crate::{AwsAlb, Settings};

const BLUE: Routing = Routing::to(Some(Color::Blue));
const GREEN: Routing = Routing::to(Some(Color::Green));
const TENTH: Routing = Routing { blue: 90, green: 10, out: Vec::new() };
const ENDPOINT: &str = "https://elasticloadbalancing.eu-west-1.amazonaws.com/";
const ARN: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:";

fn settings(change: &[(&str, serde_json::Value)]) -> Settings {
    let mut table = serde_json::json!({
        "region": "eu-west-1",
        "rule": format!("{ARN}listener-rule/app/shop/1/2/3"),
        "blue": format!("{ARN}targetgroup/shop-blue/7"),
        "green": format!("{ARN}targetgroup/shop-green/8"),
    });
    for (key, value) in change {
        table[*key] = value.clone();
    }
    serde_json::from_value(table).expect("settings")
}

fn call() -> Call {
    let instances = [Color::Blue, Color::Green].map(|color| fake::instance("web1", color, "10.0.0.11"));
    fake::call("{}", instances.into())
}

/// A load balancer with one rule.
struct Fake {
    world: World,
    weights: Rc<RefCell<[u32; 2]>>,
    sticky: Rc<Cell<bool>>,
    is_default: Rc<Cell<bool>>,
    health: Rc<RefCell<&'static str>>,
    sent: Rc<RefCell<Vec<Request>>>,
}

fn balancer() -> Fake {
    let world = World::install([]);
    world.secret("aws-access-key-id", "AKIDEXAMPLE");
    world.secret("aws-secret-access-key", "SECRET");
    world.secret("token", "TOKEN");
    let fake = Fake {
        world,
        weights: Rc::new(RefCell::new([1, 0])),
        sticky: Rc::default(),
        is_default: Rc::default(),
        health: Rc::new(RefCell::new("healthy")),
        sent: Rc::default(),
    };
    let (weights, sticky, is_default) =
        (Rc::clone(&fake.weights), Rc::clone(&fake.sticky), Rc::clone(&fake.is_default));
    let (health, sent) = (Rc::clone(&fake.health), Rc::clone(&fake.sent));
    fake.world.http(move |request| {
        sent.borrow_mut().push(request.clone());
        let body = request.body.clone().map(|body| String::from_utf8(body).expect("text"));
        let query = request.url.strip_prefix(ENDPOINT).expect("the endpoint").trim_start_matches('?').to_owned();
        let pairs = body.unwrap_or(query);
        let value = |key: &str| {
            let mut pairs = pairs.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(name, _)| *name == key).map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        let (method, action) = (request.method.as_str(), value("Action"));
        let list = match (method, action.as_str()) {
            ("GET", "DescribeTargetHealth") => {
                let port = if value("TargetGroupArn").contains("green") { 4002 } else { 4001 };
                let health = health.borrow();
                let text = format!(
                    "<TargetHealthDescriptions><member><Target><Id>10.0.0.11</Id><Port>{port}</Port></Target>\
                     <TargetHealth><State>{health}</State></TargetHealth></member></TargetHealthDescriptions>"
                );
                return answer("DescribeTargetHealth", &text);
            }
            ("GET", "DescribeRules") => ("Rules", "Actions"),
            ("GET", "DescribeListeners") => ("Listeners", "DefaultActions"),
            ("POST", "ModifyRule" | "ModifyListener") => {
                let list = if action == "ModifyRule" { "Actions" } else { "DefaultActions" };
                let weight = |n: u32| {
                    let at = format!("{list}.member.1.ForwardConfig.TargetGroups.member.{n}.Weight");
                    value(&at).parse().unwrap_or_else(|_| panic!("{pairs}"))
                };
                *weights.borrow_mut() = [weight(1), weight(2)];
                let kept = format!("{list}.member.1.ForwardConfig.TargetGroupStickinessConfig.Enabled");
                assert_eq!(value(&kept), sticky.get().to_string());
                return answer(&action, "");
            }
            other => panic!("{other:?}"),
        };
        let [blue, green] = *weights.borrow();
        let sticky = format!(
            "<TargetGroupStickinessConfig><Enabled>{}</Enabled><DurationSeconds>60</DurationSeconds></TargetGroupStickinessConfig>",
            sticky.get()
        );
        let group = |name: &str, weight: u32| {
            format!("<member><Weight>{weight}</Weight><TargetGroupArn>{ARN}targetgroup/shop-{name}</TargetGroupArn></member>")
        };
        let (all, actions) = list;
        let text = format!(
            "<{all}><member><IsDefault>{}</IsDefault><{actions}><member><Type>forward</Type><ForwardConfig><TargetGroups>{}{}\
             </TargetGroups>{sticky}</ForwardConfig></member></{actions}></member></{all}>",
            is_default.get(),
            group("blue/7", blue),
            group("green/8", green)
        );
        answer(&action, &text)
    });
    fake
}

fn answer(action: &str, result: &str) -> Result<cutover_hooks::http::Response, HttpError> {
    let text = format!(
        "<{action}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\n  \
         <{action}Result>{result}</{action}Result>\n</{action}Response>"
    );
    fake::response(200, &[], &text)
}

fn observe(world: &World, settings: &Settings) -> Result<Observation, HookError> {
    world.reading(|| AwsAlb::observe(settings, &call(), "alb"))
}

#[test]
fn every_way_leads_where_it_should_and_twice_does_no_harm() {
    let listener =
        [("rule", serde_json::Value::Null), ("listener", format!("{ARN}listener/app/shop/1/2").into())];
    for (settings, place) in [(settings(&[]), "rule shop/3"), (settings(&listener), "listener shop/2")] {
        let fake = balancer();
        let labels = vec![("place".to_owned(), place.to_owned())];
        let seen = Observation { routing: Some(BLUE), settled: true, labels };
        assert_eq!(observe(&fake.world, &settings), Ok(seen));
        for want in [BLUE, GREEN, TENTH, GREEN, BLUE, TENTH, BLUE] {
            for _ in 0..2 {
                assert_eq!(AwsAlb::apply(&settings, &call(), "alb", &want), Ok(()));
                let routing = observe(&fake.world, &settings).expect("an observation").routing;
                assert_eq!(routing, Some(want.clone()));
            }
        }
    }
}

#[test]
fn a_switch_is_one_request_and_none_where_it_is_so_already() {
    let fake = balancer();
    AwsAlb::apply(&settings(&[]), &call(), "alb", &GREEN).expect("green");
    AwsAlb::apply(&settings(&[]), &call(), "alb", &GREEN).expect("green");
    let methods: Vec<String> = fake.sent.borrow().iter().map(|request| request.method.clone()).collect();
    assert_eq!(methods, ["GET", "POST", "GET"]);
}

#[test]
fn each_request_is_signed_without_the_key_and_with_the_token() {
    let fake = balancer();
    observe(&fake.world, &settings(&[("session-token", "token".into())])).expect("an observation");
    let sent = fake.sent.borrow();
    let header = |name: &str| {
        let headers = &sent[0].headers;
        headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let (time, date) = (header("x-amz-date"), header("x-amz-date")[..8].to_owned());
    assert_eq!(header("x-amz-security-token"), "TOKEN");
    assert_eq!(time.len(), "20150830T123600Z".len());
    let scope = format!("{date}/eu-west-1/elasticloadbalancing/aws4_request");
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature="
    );
    let authorization = header("authorization");
    let signature = authorization.strip_prefix(&signed).unwrap_or_else(|| panic!("{authorization}"));
    // The fake "signs" by putting the secret before the data.
    let text: String = format!("SECRETAWS4-HMAC-SHA256\n{time}\n{scope}\n")
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(signature.starts_with(&text), "{signature}");
    let hmac = format!("hmac aws-secret-access-key AWS4 {}", scope.replace('/', " "));
    assert!(fake.world.calls().contains(&hmac));
}

#[test]
fn prepare_shows_the_change() {
    let fake = balancer();
    let prepare = |want: &Routing| AwsAlb::prepare(&settings(&[]), &call(), "alb", want);
    assert_eq!(
        prepare(&TENTH).as_deref(),
        Ok(
            "--- alb: rule shop/3, now\n+++ alb: rule shop/3, then\n-blue 100 %: shop-blue\n-green 0 %: shop-green\n\
            +blue 90 %: shop-blue\n+green 10 %: shop-green\n"
        )
    );
    assert_eq!(prepare(&BLUE).as_deref(), Ok(""));
    assert_eq!(*fake.weights.borrow(), [1, 0], "nothing was changed");
    *fake.health.borrow_mut() = "unhealthy";
    let sick = "not healthy in green's target group `shop-green`, 1 of 1 targets: `10.0.0.11:4002` is unhealthy\n\
                hint: the balancer goes by the target group's own health check; where that takes its time, \
                give `router` a longer `timeout`";
    assert_eq!(prepare(&GREEN), Err(HookError::temporary(sick)));
    assert_eq!(prepare(&BLUE).as_deref(), Ok(""), "who gets no more than before may be sick");
}

#[test]
fn stickiness_is_kept_and_told() {
    let fake = balancer();
    fake.sticky.set(true);
    let text = "log Level::Warn rule shop/3 has group stickiness: for 60 s a client stays with the colour that it was given, \
                whatever its share";
    let told = |ask: &dyn Fn()| {
        fake.world.calls();
        ask();
        fake.world.calls().contains(&text.to_owned())
    };
    let mut status = call();
    status.deployment.clear();
    assert!(told(&|| drop(AwsAlb::observe(&settings(&[]), &status, "alb"))));
    assert!(!told(&|| drop(AwsAlb::observe(&settings(&[]), &call(), "alb"))));
    assert_eq!(AwsAlb::apply(&settings(&[]), &call(), "alb", &GREEN), Ok(()));
    let labels = observe(&fake.world, &settings(&[])).expect("an observation").labels;
    assert!(labels.contains(&("sticky-seconds".to_owned(), "60".to_owned())));
}

#[test]
fn a_default_rule_is_changed_as_its_listener() {
    let fake = balancer();
    fake.is_default.set(true);
    let text = "rule shop/3 is its listener's default rule, which can't be changed as a rule\n\
                hint: write `listener = \"ARN\"` instead of `rule`";
    assert_eq!(observe(&fake.world, &settings(&[])), Err(HookError::failed(text)));
}

#[test]
fn each_refusal_says_what_to_do() {
    let fake = balancer();
    let token = settings(&[("session-token", "token".into())]);
    let mut said = String::new();
    let mut note = |settings: &Settings| {
        let error = observe(&fake.world, settings).expect_err("an error");
        let kind = if matches!(error, HookError::Temporary(_)) { "temporary" } else { "failed" };
        let text = error.text();
        // The moment of the signature.
        let text: String = text
            .split(' ')
            .map(|word| if word.starts_with("20") && word.contains('T') { "NOW," } else { word })
            .collect::<Vec<_>>()
            .join(" ");
        said.push_str(&format!("{kind}: {text}\n"));
    };
    for (status, code, message) in [
        (403, "InvalidClientTokenId", "The security token included in the request is invalid."),
        (
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.\n\nCheck your key.",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "Signature expired: 20261122T120000Z is now earlier than 20261122T130000Z (20261122T131500Z - 15 min.)",
        ),
        (403, "ExpiredToken", "The security token included in the request is expired"),
        (403, "AccessDenied", "User: arn:aws:iam::1:user/x is not authorized"),
        (400, "RuleNotFound", "One or more rules not found"),
        (400, "ListenerNotFound", "One or more listeners not found"),
        (400, "TargetGroupNotFound", "One or more target groups not found"),
        (400, "Throttling", "Rate exceeded"),
        (500, "Sorry", "x"),
        (400, "ValidationError", "1 validation error detected"),
    ] {
        let text = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        fake.world.http(move |_| fake::response(status, &[("date", "Sun, 22 Nov 2026 13:15:00 GMT")], &text));
        note(&settings(&[]));
        if code == "InvalidClientTokenId" {
            note(&token);
        }
    }
    for (status, text) in [
        (200, "<html>\n<form>Log in<br></form></html>"),
        (200, "<DescribeRulesResponse><DescribeRulesResult>"),
        (200, "<ModifyRuleResponse><ModifyRuleResult/></ModifyRuleResponse>"),
        (200, "<DescribeRulesResponse><DescribeRulesResult/></DescribeRulesResponse>"),
        (502, "<html><h1>Bad Gateway</h1></html>"),
    ] {
        fake.world.http(move |_| fake::response(status, &[], text));
        note(&settings(&[]));
    }
    fake.world.http(|_| Err(HttpError::Connect("10.0.0.1:443: connection refused".to_owned())));
    note(&settings(&[]));
    fake.world.http(|_| Err(HttpError::TimedOut("no whole answer within 15 s".to_owned())));
    note(&settings(&[]));
    assert_eq!(said, include_str!("../golden/refusals.txt"));
}

#[test]
fn single_hosts_are_refused() {
    balancer();
    let out = Routing { out: vec!["web1".to_owned()], ..BLUE };
    let text = HookError::failed("builtin:aws-alb can't take single hosts out");
    assert_eq!(AwsAlb::apply(&settings(&[]), &call(), "alb", &out), Err(text.clone()));
    assert_eq!(AwsAlb::prepare(&settings(&[]), &call(), "alb", &out), Err(text));
}

#[test]
fn setup_asks_nobody() {
    let world = World::install([]);
    let mut call = call();
    call.facts.push(("setup".to_owned(), "deploy".to_owned()));
    let text = AwsAlb::prepare(&settings(&[]), &call, "alb", &Routing::to(None));
    assert_eq!(text.as_deref(), Ok(include_str!("../golden/setup.sh")));
    assert_eq!(world.calls(), Vec::<String>::new());
}
