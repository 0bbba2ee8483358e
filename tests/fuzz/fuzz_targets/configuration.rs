//! See `cutover::fuzz::configuration`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cutover::fuzz::configuration(input));
