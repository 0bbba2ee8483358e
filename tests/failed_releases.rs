//! Failed releases push out nothing that a rollback could go to.

use std::fs;

use test_support::Behaviour;

use crate::{local, with_v1};

#[test]
fn six_failed_deployments_cost_no_good_release() {
    let Some(mut test) = with_v1(local()) else { return };
    test.configure("stop-timeout", "keep-releases = 3\nstop-timeout");
    for version in ["v2", "v3"] {
        let _ = test.deploy(version, Behaviour::Sound).expect(0);
    }
    for version in ["v4", "v5", "v6", "v7", "v8", "v9"] {
        let _ = test.deploy(version, Behaviour::FailsSmokeTest).expect(10);
    }
    // Each makes room before it is staged: of those that failed before it, the newest is left.
    let entries = fs::read_dir(test.desk.outside("/srv/shop/releases")).unwrap();
    assert_eq!(entries.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count(), 3 + 2);
    let _ = test.deploy("v10", Behaviour::Sound).expect(0);
    let status = test.cutover(&["status", "--releases"]).expect(0);
    let _ = status.expect_text("9        never live");
    let plain = test.cutover(&["status"]).expect(0).stdout;
    assert!(!plain.contains("never live"), "{plain}");
    let listed = test.cutover(&["status", "--releases", "--json"]).expect(0).last_event();
    let found = |entry: &serde_json::Value| {
        (entry["release"]["number"].as_u64().unwrap(), entry["state"].as_str().unwrap().to_owned())
    };
    let listed: Vec<(u64, String)> = listed["releases"].as_array().unwrap().iter().map(found).collect();
    let expected = [(10, "live"), (9, "never-live"), (3, "warm"), (2, "kept")];
    assert_eq!(listed, expected.map(|(number, state)| (number, state.to_owned())));
    let _ = test.cutover(&["rollback", "--to", "2"]).expect(0);
    assert_eq!(test.live(), "v2 blue");
}

#[test]
fn a_release_that_failed_is_deployed_without_building_it_again() {
    let Some(test) = with_v1(local()) else { return };
    for version in ["v2", "v3"] {
        let _ = test.deploy(version, Behaviour::FailsSmokeTest).expect(10);
    }
    let listed = test.cutover(&["status", "--releases", "--json"]).expect(0).last_event();
    let id = |number: u64| {
        let entries = listed["releases"].as_array().unwrap();
        let is_it = |entry: &&serde_json::Value| entry["release"]["number"] == number;
        entries.iter().find(is_it).unwrap()["release"]["id"].as_str().unwrap().to_owned()
    };
    let mend = |number: u64, version: &str| {
        let file = test.desk.outside(&format!("/srv/shop/releases/{}/behaviour", id(number)));
        fs::write(file, Behaviour::Sound.file(version)).unwrap();
    };
    mend(2, "v2");
    let deployed = test.cutover(&["deploy", "--release", "2"]).expect(0);
    assert!(!deployed.stdout.contains("\nbuild"), "{}", deployed.stdout);
    assert_eq!(test.live(), "v2 green");
}
