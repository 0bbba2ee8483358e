//! See `cutover::fuzz::journal`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cutover::fuzz::journal(input));
