//! See `cutover::fuzz::state`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cutover::fuzz::state(input));
