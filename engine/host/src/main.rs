//! The helper that the engine brings to a host and speaks to over standard input and output.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use cutover_host::manifest::ContentDigest;
use cutover_host::{Account, Host, forget_old_helpers, serve, supervise};

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    match words.next().as_ref().and_then(|word| word.to_str()) {
        Some("serve") => match serve_engine() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(&error.to_string()),
        },
        Some("supervise") => ExitCode::from(u8::try_from(supervise(words)).unwrap_or(1)),
        Some("--version") => {
            #[expect(clippy::print_stdout, reason = "that is what was asked for")]
            {
                println!("cutover-host {}", env!("CARGO_PKG_VERSION"));
            }
            ExitCode::SUCCESS
        }
        _ => complain("this program is started by cutover; there is nothing to do with it by hand"),
    }
}

fn serve_engine() -> io::Result<()> {
    // The file itself is named, also once it has been replaced on the disk.
    let own = "/proc/self/exe";
    let digest = ContentDigest::of(&std::fs::read(own)?).to_string();
    // Tidying is a favour; whoever can't do it serves all the same.
    let _ = std::fs::read_link(own).and_then(|path| forget_old_helpers(&path, SystemTime::now()));
    let account = Account::of_process(std::env::var("HOME").ok(), std::env::var("USER").ok());
    let host = Host::new(vec![own.into(), "supervise".into()], account);
    let input = io::BufReader::with_capacity(128 << 10, io::stdin());
    // Not the buffered one of std, which looks for line breaks.
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    serve(&Arc::new(host), input, output, &digest)
}

fn complain(message: &str) -> ExitCode {
    #[expect(clippy::print_stderr, reason = "the engine shows what the helper says when it can't serve")]
    {
        eprintln!("cutover-host: {message}");
    }
    ExitCode::from(2)
}
