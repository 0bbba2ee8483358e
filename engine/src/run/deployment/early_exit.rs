//! How a run ends that has changed nothing, by the code of its first error.

use crate::model::view::ExitCode;
use crate::run::execute::interrupts::INTERRUPTED;

/// Exit code of an error that came before anything was changed.
///
/// | code | exit |
/// |---|---|
/// | `internal/…`, `hook/no-sandbox` | 1 |
/// | `state/not-held` | 2 |
/// | `deploy/interrupted` | 20 |
/// | `state/locked`, `unlock/at-work` | 30 |
/// | `state/fenced` | 31 |
/// | `deploy/unfinished`, `deploy/drift`, `deploy/another-repository`, `deploy/routers-disagree`, `resume/moved`, `resume/no-way`, `resume/old-switch`, `abort/too-late`, `state/unfinished`, `state/lineage`, `state/elsewhere`, `state/moved`, `state/under-way`, `state/second-home`, `state/lost`, `state/contradiction`, `state/changed`, `state/nothing`, `state/two-states`, `state/journal-broken`, `state/malformed`, `state/generation`, `state/too-large` | 40 |
/// | `config/…`, `hook/missing-grant`, `hook/unknown-builtin`, `hook/unreadable`, `hook/not-a-component`, `hook/not-a-script`, `hook/wrong-kind`, `hook/other-contract`, `hook/unknown-import`, `hook/unfit`, `hook/not-compiled`, `hook/unusable`, `hook/settings`, `secret/undeclared`, `state/newer-version` | 50 |
/// | `host/untrusted`, `state/untrusted`, `state/behind`, `state/journal-forged`, `resume/authority`, `hook/digest`, `secret/exposed` | 60 |
/// | any other | 11 |
///
/// Once something was changed, the outcome decides instead: 10, 20, 21, 31 or 40; but `state/behind` is 60 then too.
#[must_use]
pub fn early_exit_code(code: &str) -> ExitCode {
    match code {
        INTERRUPTED => ExitCode::InterruptedPutBack,
        "state/not-held" | "usage/router" | "usage/hook" | "usage/host" | "usage/ask" | "usage/record" => {
            ExitCode::Usage
        }
        "state/locked" | "unlock/at-work" => ExitCode::Locked,
        "state/fenced" => ExitCode::Fenced,
        "deploy/unfinished"
        | "deploy/drift"
        | "deploy/another-repository"
        | "deploy/routers-disagree"
        | "state/unfinished"
        | "state/malformed"
        | "state/generation"
        | "state/lineage"
        | "state/elsewhere"
        | "state/moved"
        | "state/under-way"
        | "state/second-home"
        | "state/lost"
        | "state/contradiction"
        | "state/changed"
        | "state/nothing"
        | "state/two-states"
        | "state/journal-broken"
        | "state/too-large"
        | "resume/moved"
        | "resume/no-way"
        | "resume/old-switch"
        | "abort/too-late"
        | "conformance/left" => ExitCode::Stuck,
        "host/untrusted"
        | "state/untrusted"
        | "state/behind"
        | "state/journal-forged"
        | "resume/authority"
        | "hook/digest"
        | "secret/exposed" => ExitCode::Refused,
        "hook/missing-grant"
        | "hook/unknown-builtin"
        | "hook/unreadable"
        | "hook/not-locked"
        | "hook/not-a-component"
        | "hook/not-a-script"
        | "hook/wrong-kind"
        | "hook/other-contract"
        | "hook/unknown-import"
        | "hook/unfit"
        | "hook/not-compiled"
        | "hook/unusable"
        | "hook/settings"
        | "secret/undeclared"
        | "state/newer-version" => ExitCode::Configuration,
        "hook/no-sandbox" => ExitCode::Internal,
        _ if code.starts_with("config/") => ExitCode::Configuration,
        _ if code.starts_with("internal/") => ExitCode::Internal,
        _ => ExitCode::NothingChanged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_before_anything_have_their_exit_codes() {
        let table: [(u8, &[&str]); 8] = [
            (1, &["internal/home", "internal/panic"]),
            (2, &["state/not-held"]),
            (20, &[INTERRUPTED]),
            (30, &["state/locked", "unlock/at-work"]),
            (31, &["state/fenced"]),
            (
                40,
                &[
                    "deploy/unfinished",
                    "deploy/drift",
                    "deploy/another-repository",
                    "deploy/routers-disagree",
                    "resume/moved",
                    "resume/no-way",
                    "resume/old-switch",
                    "abort/too-late",
                    "state/unfinished",
                    "state/lineage",
                    "state/elsewhere",
                    "state/moved",
                    "state/under-way",
                    "state/second-home",
                    "state/lost",
                    "state/contradiction",
                    "state/changed",
                    "state/nothing",
                    "state/two-states",
                    "state/journal-broken",
                    "state/malformed",
                    "state/generation",
                    "state/too-large",
                ],
            ),
            (50, &["config/value", "hook/missing-grant", "secret/undeclared", "state/newer-version"]),
            (
                60,
                &[
                    "host/untrusted",
                    "state/untrusted",
                    "state/behind",
                    "state/journal-forged",
                    "resume/authority",
                    "hook/digest",
                    "secret/exposed",
                ],
            ),
        ];
        for (exit, codes) in table {
            for code in codes {
                assert_eq!(early_exit_code(code).code(), exit, "{code}");
            }
        }
        for code in
            ["host/unreachable", "release/unknown", "deploy/live-already", "build/artifact", "hook/trapped"]
        {
            assert_eq!(early_exit_code(code).code(), 11, "{code}");
        }
    }
}
