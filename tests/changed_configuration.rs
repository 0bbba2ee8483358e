//! A configuration that was changed between a kill and the command that takes the deployment up.

use test_support::{Behaviour, Test, assert_golden};

use crate::{local, with_v1};

/// A second deployment, killed while its release is being proven.
fn killed_at(step: &str) -> Option<Test> {
    let test = with_v1(local())?;
    test.repository.push("v2", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for_step(step);
    let _ = running.kill();
    Some(test)
}

#[test]
fn what_the_deployment_stands_on_must_be_as_it_was() {
    let Some(mut test) = killed_at("smoke") else { return };
    let begun = test.config.clone();
    test.configure("driver = \"detached\"", "driver = \"systemd\"");
    test.configure("directory = \"/srv/shop\"", "directory = \"/srv/shop\"\nuser = \"shop\"");
    let (blue, green) = test.ports();
    test.configure(&format!("green = {{ port = {green} }}"), &format!("green = {{ port = {} }}", blue + 1));
    for command in ["resume", "abort"] {
        let refused = test.cutover(&[command]).expect(50);
        let told =
            test.normalise(&(refused.stdout + &refused.stderr)).replace(&(blue + 1).to_string(), "OTHER");
        assert_golden(&format!("changed-basis-{command}.txt"), &told);
    }
    test.config = begun;
    let _ = test.cutover(&["abort"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
}

#[test]
fn what_failed_may_have_been_mended() {
    let Some(mut test) = killed_at("smoke") else { return };
    let begun = test.config.clone();
    test.configure("name = \"checkout\"", "name = \"other\"");
    test.configure("healthy-after = 2", "healthy-after = 1");
    test.configure("[pipeline]", "[pipeline]\nretire = \"stop\"");
    let _ = test.cutover(&["abort"]).expect(0);
    assert_eq!(test.live(), "v1 blue");

    test.config = begun;
    test.repository.push("v3", Behaviour::Sound);
    let mut running = test.start(&["deploy", "--json"]);
    running.wait_for("the pivot", |event| event["event"] == "pivot");
    let _ = running.kill();
    test.configure("[pipeline]", "[pipeline]\nretire = \"stop\"");
    test.configure("name = \"checkout\"", "name = \"other\"");
    let refused = test.cutover(&["resume"]).expect(50);
    assert_golden("changed-retire.txt", &test.normalise(&(refused.stdout + &refused.stderr)));
    // A test that has been passed is the past.
    test.configure("retire = \"stop\"", "retire = \"keep-warm\"");
    let _ = test.cutover(&["resume"]).expect(0);
    assert_eq!(test.live(), "v3 green");
}

#[test]
fn a_change_can_be_accepted() {
    let Some(mut test) = killed_at("health") else { return };
    let (_, green) = test.ports();
    // The same directory under another name.
    std::os::unix::fs::symlink("shop", test.desk.outside("/srv/elsewhere")).unwrap();
    test.configure("directory = \"/srv/shop\"", "directory = \"/srv/elsewhere\"");
    let _ = test.cutover(&["resume"]).expect(50);
    let _ = test.cutover(&["resume", "--accept-changes"]).expect(10);
    assert_eq!(test.live(), "v1 blue");
    test.wait_until_stopped(green);
}

/// Somebody's second application, with the name of the first: to deploy it would end what is live.
#[test]
fn another_repository_is_another_application_until_somebody_says_otherwise() {
    let Some(mut test) = with_v1(local()) else { return };
    let (url, moved) = (test.repository.url(), test.repository.url().replace("shop.git", "blog.git"));
    let path = moved.trim_start_matches("file://").to_owned();
    test.repository.push("v2", Behaviour::Sound);
    test.repository.git(&["clone", "--quiet", "--bare", &url, &path]);
    test.configure(&url, &moved);
    // It would tell drift, had that the first word.
    let flag = test.nginx.flags().join("green");
    std::fs::write(&flag, "").unwrap();
    for command in ["plan", "deploy"] {
        let refused = test.cutover(&[command]).expect(40);
        let told = test.normalise(&(refused.stdout + &refused.stderr));
        assert_golden(&format!("another-repository-{command}.txt"), &told);
    }
    std::fs::remove_file(flag).unwrap();
    assert_eq!(test.live(), "v1 blue");
    let _ = test.cutover(&["deploy", "--adopt"]).expect(0);
    assert_eq!(test.live(), "v2 green");
    // What was built before it moved is the same application's.
    let _ = test.cutover(&["rollback"]).expect(0);
    assert_eq!(test.live(), "v1 blue");
}
