//! End-to-end tests: the program as people run it, against real peers on simulated machines. One file a promise.

#![expect(clippy::unwrap_used, reason = "a test ends, loudly, at what its set-up can't do")]

mod peers;
