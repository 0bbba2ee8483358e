//! See `cutover::fuzz::grants`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cutover::fuzz::grants(input));
