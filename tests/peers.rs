//! The peers themselves: what the other tests stand on.

use std::path::Path;
use std::time::Duration;

use test_support::{Load, Machine, Nginx, Process, Scratch, Sshd, demo_program, eventually, get};

#[test]
fn a_machine_is_reached_over_ssh_and_ends_with_all_that_runs_on_it() {
    if Machine::can_isolate().is_err() {
        return;
    }
    let scratch = Scratch::new();
    let key = Sshd::make_key(&scratch.join("key"));
    let machine = Machine::isolated("web1", "127.0.0.11", &scratch.directory("web1"), &[]);
    machine.add_user("deploy");
    let sshd = Sshd::start(&scratch, &machine, &key, "deploy");
    let known = scratch.write("known_hosts", sshd.known_hosts_line());
    let destination = sshd.destination();
    let (host, port) = destination.rsplit_once(':').unwrap();
    let mut ssh = std::process::Command::new("ssh");
    ssh.args(["-F", "none", "-o", "BatchMode=yes", "-o"])
        .arg(format!("UserKnownHostsFile={}", known.display()));
    ssh.arg("-i").arg(scratch.join("key")).args(["-p", port, host]);
    ssh.arg("echo hello > ~/note; hostname; setsid sleep 1234 >/dev/null 2>&1 & echo $HOME");
    let output = ssh.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "web1\n/home/deploy\n", "{output:?}");
    assert_eq!(std::fs::read_to_string(machine.outside("/home/deploy/note")).unwrap(), "hello\n");
    let sleeps = || {
        let listed = std::process::Command::new("pgrep").args(["-f", "^sleep 1234"]).output().unwrap();
        !listed.stdout.is_empty()
    };
    eventually("the daemon runs", Duration::from_secs(5), || sleeps().then_some(()));
    drop((sshd, machine));
    eventually("the daemon ends", Duration::from_secs(5), || (!sleeps()).then_some(()));
}

#[test]
fn the_load_counts_answers_and_failures() {
    let scratch = Scratch::new();
    let machine = Machine::this(&scratch.directory("desk"), test_support::SYSTEM_PATH);
    let mut nginx = Nginx::new(&scratch, &machine);
    scratch.write("localhost-nginx/http.conf", "");
    let backend = test_support::Port::take();
    scratch.write("localhost-nginx/shop.location", format!("proxy_pass http://127.0.0.1:{backend};"));
    nginx.start(&machine);
    let mut command = machine.command(demo_program(), Path::new("/"));
    command.args(["--port", &backend.to_string()]).env("CUTOVER_RELEASE", "7").env("CUTOVER_COLOR", "green");
    let app = Process::start(command, &scratch.join("app.log"));
    eventually("the application", Duration::from_secs(5), || get("127.0.0.1", backend.number(), "/up").ok());
    let load = Load::start(nginx.port());
    load.wait_for(50);
    let sound = load.so_far();
    sound.assert_none_failed();
    assert_eq!(sound.order, [("7".to_owned(), "green".to_owned())]);
    drop(app);
    load.wait_for(20);
    let sick = load.finish();
    assert!(sick.failed > 0, "{sick:?}");
}
