//! What is given up is gone, tried in a process of its own.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::io::{Error, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, exit};
use std::time::Instant;
use std::{env, fs, thread};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::process::{getppid, test_kill_process};

use super::*;

/// Set in the process that is confined.
const INSIDE: &str = "CUTOVER_TEST_CONFINED";

#[test]
fn what_is_given_up_is_gone_for_good() {
    if env::var_os(INSIDE).is_some() {
        confined();
    }
    let name = "hook::sandbox::confine::tests::what_is_given_up_is_gone_for_good";
    let mut inside = Command::new(env::current_exe().unwrap());
    let output = inside.args([name, "--exact", "--nocapture"]).env(INSIDE, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
    assert!(text.contains("confined\n"), "{text}");
}

/// In a process of its own, since nothing of it can be taken back.
fn confined() -> ! {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let file = env::current_exe().unwrap();
    let refused = |error: Error| error.raw_os_error().map(Errno::from_raw_os_error);

    if can_be_renounced() {
        renounce().unwrap();
        assert_eq!(fs::File::open(&file).map(drop).map_err(refused), Err(Some(Errno::ACCESS)));
        assert_eq!(fs::read_dir("/").map(drop).map_err(refused), Err(Some(Errno::ACCESS)));
        assert_eq!(Command::new(&file).spawn().map(drop).map_err(refused), Err(Some(Errno::ACCESS)));
        assert_eq!(TcpStream::connect(address).map(drop).map_err(refused), Err(Some(Errno::ACCESS)));
    }
    if calls::can_be_filtered() {
        let parent = getppid().unwrap();
        seal().unwrap();
        assert_eq!(fs::metadata(&file).map(drop).map_err(refused), Err(Some(Errno::NOSYS)));
        assert_eq!(Command::new("/").spawn().map(drop).map_err(refused), Err(Some(Errno::NOSYS)));
        assert_eq!(socket(AddressFamily::INET, SocketType::DGRAM, None).map(drop), Err(Errno::NOSYS));
        assert_eq!(set_no_new_privs(true), Err(Errno::NOSYS));
        assert_eq!(test_kill_process(parent), Err(Errno::NOSYS));
    }
    // What a guest needs is left.
    let worker = thread::spawn(|| vec![1_u8; 64 << 20].iter().map(|byte| u64::from(*byte)).sum::<u64>());
    assert_eq!(worker.join().unwrap(), 64 << 20);
    assert!(Instant::now().elapsed().as_nanos() < u128::MAX);
    io::stdout().write_all(b"confined\n").unwrap();
    exit(0)
}
