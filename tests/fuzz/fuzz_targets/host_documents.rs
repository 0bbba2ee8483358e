//! See `cutover_host::fuzz::documents`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cutover_host::fuzz::documents(input));
