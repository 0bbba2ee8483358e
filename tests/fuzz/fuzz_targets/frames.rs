//! See `cutover::fuzz::frames`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cutover::fuzz::frames(input));
