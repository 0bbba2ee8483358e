//! A journal supplies state, never authority: what it names beyond the configuration is refused.

use test_support::Behaviour;

use crate::{fleet, with_v1};

#[test]
fn a_plan_for_a_host_that_is_not_ours_is_refused() {
    let Some(mut test) = with_v1(fleet()) else { return };
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step("watch");
    let _ = running.kill();
    test.configure("hosts = [\"web1\", \"web2\"]", "hosts = [\"web1\"]");
    let refused = test.cutover(&["resume"]).expect(60);
    assert!(refused.stderr.contains("web2"), "{}", refused.stderr);
    // Nothing was done: what the killed run had switched to still answers.
    assert_eq!(test.live(), "v2 green");
}
