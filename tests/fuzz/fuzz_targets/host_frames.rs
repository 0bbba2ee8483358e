//! See `cutover_host::fuzz::frames`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cutover_host::fuzz::frames(input));
