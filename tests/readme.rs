//! What the README says works: its commands, and its configuration.

use std::path::Path;
use std::process::Command;

use test_support::{Manual, Scratch};

use crate::local;

fn readme() -> Manual {
    Manual::read("README.md")
}

#[test]
fn it_is_short() {
    assert!(readme().text().lines().count() < 150);
}

#[test]
fn its_two_commands_are_these() {
    // `cargo xtask test` is what runs this test; the demo is run below.
    assert_eq!(readme().blocks_of("console")[0], "$ cargo xtask demo\n$ cargo xtask test\n");
}

#[test]
fn the_demo_shows_what_it_says() {
    if local().is_none() {
        return;
    }
    let mut demo = Command::new(env!("CARGO"));
    demo.args(["xtask", "demo", "--json", "--program", env!("CARGO_BIN_EXE_cutover")]);
    let ran = demo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}");
    let summary: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(summary["failed"], 0, "{summary}");
    assert!(summary["requests"].as_u64().unwrap() > 1000, "{summary}");
    let ends: Vec<i64> =
        summary["deployments"].as_array().unwrap().iter().map(|it| it["exit"].as_i64().unwrap()).collect();
    assert_eq!(ends, [0, 0, 10, 10, 0], "{told}");
    // v1, v2, v4 for a moment, and v1 again; never v3.
    let answered: Vec<&str> =
        summary["answers"].as_array().unwrap().iter().map(|it| it["color"].as_str().unwrap()).collect();
    assert_eq!(answered, ["blue", "green", "blue"], "{summary}");
}

#[test]
fn its_configuration_is_accepted() {
    let Some(mut test) = local() else { return };
    test.config = readme().blocks_of("toml")[0].clone();
    let _ = test.cutover(&["check"]).expect(0);
}

#[test]
fn what_init_writes_is_accepted() {
    let Some(test) = local() else { return };
    let scratch = Scratch::new();
    let directory = scratch.directory("shop");
    let init = |words: &[&str]| {
        let mut command = test.desk.command(test.program(), &directory);
        test_support::Running::start(&test.desk, {
            command.args(words);
            command
        })
        .finish()
    };
    let _ = init(&["init"]).expect(0);
    let _ = init(&["check"]).expect(0);
}
