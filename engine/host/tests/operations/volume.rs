//! What a large release costs on a host: `CUTOVER_TEST_NIGHTLY=1` measures it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cutover_host::artifact::Artifact;
use cutover_host::operation::{Answer, Operation};

use crate::stage::Stage;
use crate::staging::{SHOP, send};

const FILES: usize = 100_000;

/// Makes small files that differ.
fn fill(root: &Path) {
    for directory in 0..FILES / 100 {
        let directory = root.join(directory.to_string());
        fs::create_dir_all(&directory).expect("made");
        for file in 0..100 {
            let path = directory.join(file.to_string());
            fs::write(&path, format!("{}\n", path.display()).repeat(10)).expect("written");
        }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "whoever runs the tests should know")]
fn taking_what_a_host_has_is_no_slower_than_receiving_it() {
    if std::env::var_os("CUTOVER_TEST_NIGHTLY").is_none() {
        eprintln!("skipped: nightly, see `.ci/run --nightly`");
        return;
    }
    let stage = Stage::new();
    fill(&stage.path("artifact"));
    let time = |release: &str| -> Duration {
        let artifact = Artifact::read(&stage.path("artifact")).expect("reads");
        let begun = Instant::now();
        let (first, _) = send(&stage, &artifact, release, release);
        assert_eq!(first.reused_bytes == 0, release == "r1");
        let finish = Operation::StageFinish {
            directory: SHOP.to_owned(),
            release: release.to_owned(),
            token: release.to_owned(),
            record: String::new(),
            linked_dirs: Vec::new(),
            linked_files: Vec::new(),
        };
        assert_eq!(stage.perform(finish), Ok(Answer::Done));
        begun.elapsed()
    };
    let received = time("r1");
    fs::write(stage.path("artifact/new"), "new").expect("written");
    let taken = time("r2");
    eprintln!("{FILES} files: received in {received:.1?}, taken in {taken:.1?}");
    // The machine does other things too; what is guarded against took more than twice as long.
    assert!(taken < received * 3 / 2, "received in {received:.1?}, taken in {taken:.1?}");
}
