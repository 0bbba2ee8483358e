//! What a guest does wrong is its own failure, told in words, and the next question is answered again.

use cutover::model::HookKind;
use std::time::{Duration, Instant};

use cutover::hook::HookFailure;
use cutover::model::Health;

use super::stage::{Stage, call, instance, nothing};

async fn check(stage: &Stage, deed: &str, timeout: Duration) -> Result<Health, HookFailure> {
    let hook = stage.load(HookKind::HealthCheck, deed, "the Inquisition", nothing(), timeout).await;
    hook.check_health(&call(vec![instance(4002)]), &instance(4002), stage.access()).await.result
}

fn said(text: &str) -> Result<Health, HookFailure> {
    Ok(Health::Starting(text.to_owned()))
}

const CRASHED: &str = "the hook crashed (panic, abort or an exception that nobody caught)";
const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_guest_that_crashes_is_told_apart_by_how() {
    let stage = Stage::new();
    let trapped =
        |message: &str| Err(HookFailure::Trapped { message: message.to_owned(), printed: String::new() });
    match check(&stage, "panic", LONG).await {
        Err(HookFailure::Trapped { message, printed }) => {
            assert_eq!(message, CRASHED);
            assert!(printed.ends_with(": nobody expects the Inquisition\n"), "{printed}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        check(&stage, "exit", LONG).await,
        trapped("the hook ended itself with failure instead of answering")
    );
    assert_eq!(check(&stage, "answer", LONG).await, said("answered"));
    match check(&stage, "recurse", LONG).await {
        Err(HookFailure::Trapped { message, .. }) => {
            assert!(message.contains("recursed too deeply"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    match check(&stage, "allocate", LONG).await {
        Err(failure @ HookFailure::Exceeded { .. }) => {
            assert_eq!(failure.code(), "hook/limit-memory");
            assert_eq!(failure.reason(), "its memory would be larger than 256 MiB");
            let hint = "if the hook needs more, raise `limits.memory` in its table: at most 2 GiB";
            assert_eq!(failure.hint().as_deref(), Some(hint));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_guest_that_never_answers_is_stopped_in_time() {
    let stage = Stage::new();
    for deed in ["spin", "sleep", "sleep-in-wasi"] {
        let hook = stage.load(HookKind::HealthCheck, deed, "", nothing(), SHORT).await;
        let begun = Instant::now();
        let answer = hook.check_health(&call(Vec::new()), &instance(4002), stage.access()).await;
        assert_eq!(answer.result, Err(HookFailure::TimedOut(SHORT)), "{deed}");
        let took = begun.elapsed();
        assert!(took >= SHORT && took < SHORT + Duration::from_millis(2500), "{deed} took {took:?}");
        let again = hook.check_health(&call(Vec::new()), &instance(4002), stage.access()).await;
        assert_eq!(again.result, Err(HookFailure::TimedOut(SHORT)), "{deed}");
    }
}

#[tokio::test]
async fn a_guests_own_errors_keep_their_meaning() {
    let stage = Stage::new();
    let later = check(&stage, "temporary", LONG).await.unwrap_err();
    assert_eq!(
        (later.is_temporary(), later.reason(), later.hint()),
        (true, "later".to_owned(), Some("wait".to_owned()))
    );
    let other = HookFailure::Other { code: "E42".to_owned(), reason: "strange".to_owned() };
    assert_eq!(check(&stage, "other", LONG).await, Err(other));
}

#[tokio::test]
async fn floods_are_cut() {
    let stage = Stage::new();
    assert_eq!(check(&stage, "log", LONG).await, said("logged"));
    let heard = stage.heard();
    assert_eq!(heard.len(), 10_001);
    assert_eq!(heard[9_999], "stranger Info: line 9999");
    assert_eq!(
        heard[10_000],
        "stranger Warn: it logs more than 10000 lines: the rest is not shown: `limits.log-lines`"
    );

    let stage = Stage::new();
    assert_eq!(check(&stage, "print", LONG).await, said("printed"));
    let heard = stage.heard();
    assert_eq!(heard.last().unwrap(), "stranger Debug: printed line 199999");
    assert_eq!(heard.len(), 10_001);
    assert_eq!(
        heard[0],
        "stranger Warn: it printed more than 1 MiB: only the newest is kept: `limits.output`"
    );
}

#[tokio::test]
async fn a_guest_sees_nothing_of_the_machine() {
    let stage = Stage::new();
    let seen = check(&stage, "environment", LONG).await;
    assert_eq!(seen, said("0 0 Err(NotFound) Err(PermissionDenied)"));
}

#[tokio::test]
async fn questions_are_answered_side_by_side() {
    let stage = Stage::new();
    let hook = stage.load(HookKind::HealthCheck, "sleep", "", nothing(), SHORT).await;
    let call = call(Vec::new());
    let instance = instance(4002);
    let begun = Instant::now();
    let ask = || hook.check_health(&call, &instance, stage.access());
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    for answer in [one, two, three] {
        assert_eq!(answer.result, Err(HookFailure::TimedOut(SHORT)));
    }
    assert!(begun.elapsed() < SHORT * 3, "{:?}", begun.elapsed());
}
