//! See `cutover::fuzz::lock_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cutover::fuzz::lock_file(input));
