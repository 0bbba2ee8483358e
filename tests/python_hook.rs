//! A hook out of the contract alone, in the language whose components are the largest: it is compiled within the limits, reaches its
//! instance and nothing else, and says where it crashed. `CUTOVER_TEST_NIGHTLY=1` runs it: building it takes a while.

use std::path::Path;

use test_support::{Behaviour, Test, componentize_py};

use crate::local;

/// The health check in Python, beside the configuration. None, with a message, where it can't be built or isn't to be.
fn with_python(test: Option<Test>) -> Option<Test> {
    let mut build = componentize_py()?;
    let mut test = test?;
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    // Python leaves its own files beside the source.
    let directory = test.directory();
    std::fs::write(directory.join("app.py"), include_str!("components/python-health/app.py")).unwrap();
    build.arg("-d").arg(contract).args(["-w", "health-check-hook", "componentize", "app"]);
    build.arg("-p").arg(&directory).arg("-o").arg(directory.join("health.wasm"));
    let built = build.output().unwrap();
    assert!(built.status.success(), "{built:?}");
    test.configure(
        "[health-check]\n",
        "[health-check]\nhook = \"health.wasm\"\ngrants = { http = [{ to = \"instances\" }] }\n",
    );
    test.set_up();
    Some(test)
}

#[test]
fn a_hook_in_python_checks_health() {
    let Some(mut test) = with_python(local()) else { return };
    test.repository.push("v1", Behaviour::Sound);
    let deployed = test.cutover(&["deploy", "-v"]).expect(0);
    let told = deployed.stdout + &deployed.stderr;
    assert!(told.contains("2 of 2, each says release 1"), "{told}");
    assert!(told.contains("python: status 200"), "{told}");
    assert_eq!(test.live(), "v1 blue");

    test.configure("settings = { path = \"/up\" }", "settings = { path = \"/up\", throw = \"vendor\" }");
    let crashed = test.deploy("v2", Behaviour::Sound).expect(10);
    let told = crashed.stdout + &crashed.stderr;
    assert!(told.contains("error[hook/trapped]: hook `health-check`: the hook crashed"), "{told}");
    assert!(told.contains("\n  KeyError: 'vendor'\n"), "{told}");
    assert_eq!(test.live(), "v1 blue");

    test.configure("throw = \"vendor\"", "shade = \"blue\"");
    let refused = test.cutover(&["check"]).expect(50);
    assert!(refused.stderr.contains("there is no such key: `path` is accepted"), "{}", refused.stderr);
}
