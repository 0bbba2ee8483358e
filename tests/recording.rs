//! What all hooks are asked in a deployment is kept, without a secret, and asked again with nothing of it there.

use std::fs;
use std::path::{Path, PathBuf};

use test_support::{Behaviour, Test, assert_golden};

use crate::{local, told};

const SECRET: &str = "hunter2-correct-horse";

/// Uses a secret in every way that tells it to somebody.
const SCRIPT: &str = r#"import { send } from "cutover:hook/http-client@0.1.0";
import { reveal } from "cutover:hook/secret-text@0.1.0";

export const smokeTest = {
  validate() {
    return [];
  },
  run(call) {
    const token = reveal("token");
    console.log(`the token is ${token}`);
    return call.instances.map((instance) => {
      const answer = send({
        method: "GET",
        url: `http://127.0.0.1:${instance.port}/checkout?as=${token}`,
        via: instance.host,
        headers: [["x-token", token]],
        secretHeaders: [["authorization", "Bearer {token}"]],
        binary: false,
      });
      const passed = answer.status === 200;
      return {
        name: "checkout",
        outcome: passed ? { tag: "passed" } : { tag: "failed", val: `answers ${answer.status}` },
        durationMs: 0,
        labels: [["as", token]],
      };
    });
  },
};
"#;

/// A project whose smoke test is that script.
fn with_secret() -> Option<Test> {
    let mut test = local()?;
    fs::create_dir_all(test.directory().join("checks")).unwrap();
    fs::write(test.directory().join("checks/signed-in.js"), SCRIPT).unwrap();
    let origin = format!("http://127.0.0.1:{}", test.ports().0);
    test.configure(
        "hook = \"builtin:http-smoke\"\nsettings = { requests = [{ name = \"cart-is-there\", path = \"/checkout\" }, { name = \"start-page\", path = \"/\" }] }\n",
        &format!(
            "hook = \"script:checks/signed-in.js\"\n[smoke-test.grants]\n\
             http = [{{ to = \"{origin}\", private = true, via = \"app\" }}]\n\
             secrets = [{{ name = \"token\", to = \"{origin}\", header = \"authorization\" }}, {{ name = \"token\", reveal = true }}]\n"
        ),
    );
    test.config.push_str("\n[secrets]\ntoken = { env = \"SHOP_TOKEN\" }\n");
    test.variables.push(("SHOP_TOKEN".to_owned(), SECRET.to_owned()));
    test.set_up();
    Some(test)
}

/// Files of cases, in order.
fn cases(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_deployment_is_recorded_and_asked_again_offline() {
    let Some(test) = with_secret() else { return };
    let place = test.directory().join("cases");
    test.repository.push("v1", Behaviour::Sound);
    let deployed = test.cutover(&["deploy", "-vv", "--record", "cases"]).expect(0);
    assert!(!(deployed.stdout + &deployed.stderr).contains(SECRET));
    assert_eq!(test.live(), "v1 blue");
    let refused = test.cutover(&["deploy", "--again", "--record", "cases"]).expect(2);
    assert_golden("record-not-empty.txt", &told(&test, refused));

    for hook in ["build", "health-check", "checkout", "router"] {
        let files = cases(&place.join(hook));
        for file in &files {
            let text = fs::read_to_string(file).unwrap();
            assert!(!text.contains(SECRET), "{}:\n{text}", file.display());
        }
        let mut words = vec!["hook", "test", hook];
        words.extend(files.iter().map(|file| file.to_str().unwrap()));
        let ended = test.cutover(&words).expect(0);
        let count = files.len();
        let verdict = format!("{count} cases: all passed");
        assert!(count > 1 && ended.stdout.contains(&verdict), "{hook}:\n{}", ended.stdout);
    }

    let changed = SCRIPT.replace("/checkout?as", "/basket?as").replace("\"as\"", "\"who\"");
    fs::write(test.directory().join("checks/signed-in.js"), changed).unwrap();
    let run = cases(&place.join("checkout")).pop().unwrap();
    // How often others were asked before is the machine's affair, and so is the time.
    fs::rename(run, test.directory().join("run.toml")).unwrap();
    let told = told(&test, test.cutover(&["hook", "test", "checkout", "run.toml"]).expect(70));
    assert_golden("record-changed-hook.txt", &told.replace(", N s\n", "\n"));
}
