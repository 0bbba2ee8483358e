//! Hooks of each kind in each language, on the real engine: that they answer, fail in every way that the contract has, crash, are refused, use
//! HTTP and programs, and find faults in their settings, all with one outcome.
//!
//! `cargo xtask languages` shows the table.

#![expect(clippy::print_stdout, reason = "the cells that `cargo xtask languages` reads")]

mod cell;
mod guest;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

use cutover::model::HookKind;
use serde_json::json;

use self::cell::Case;
use self::guest::Language;
pub(crate) use self::guest::of_template;
pub(super) use self::guest::{contract, made};
use super::stage::Stage;

/// What begins the line of a cell.
const FOUND: &str = "languages: ";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_of_each_kind_does_the_same_in_each() {
    let stage = Stage::new();
    let port = server();
    let mut wrong = Vec::new();
    for language in Language::ALL {
        let guest = language.guest(stage.place.path());
        for kind in HookKind::ALL {
            for case in Case::ALL {
                let mut cell =
                    json!({"kind": kind.as_str(), "language": language.name(), "case": case.name()});
                let ended = match &guest {
                    Some(guest) => cell::run(&stage, guest, kind, case, port).await,
                    None => Err("its toolchain is not here: `cargo xtask languages` sees to that".to_owned()),
                };
                cell["ok"] = json!(ended.is_ok());
                if let Err(why) = ended {
                    cell["why"] = json!(why);
                    wrong.extend(guest.is_some().then(|| cell.to_string()));
                }
                println!("{FOUND}{cell}");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Answers requests until the tests end.
fn server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npong")
                .unwrap();
        }
    });
    port
}
