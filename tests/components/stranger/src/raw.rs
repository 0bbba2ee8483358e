//! A call that no honest language makes.

#![expect(unsafe_code, reason = "a call past the generated code")]

/// A text where it lies in memory.
#[repr(C)]
#[derive(Clone, Copy)]
struct Text {
    at: *const u8,
    length: usize,
}

#[link(wasm_import_module = "cutover:hook/secrets@0.1.0")]
unsafe extern "C" {
    #[link_name = "hmac-sha256"]
    fn hmac_sha256(
        name: *const u8,
        name_length: usize,
        prefix: *const u8,
        prefix_length: usize,
        chain: *const Text,
        chain_length: usize,
        data: *const u8,
        data_length: usize,
        answer: *mut u8,
    );
}

/// A thousand texts that are all the same million bytes.
pub(crate) fn shared_lists() -> String {
    let bytes = vec![b'x'; 1_000_000];
    let chain = vec![Text { at: bytes.as_ptr(), length: bytes.len() }; 1000];
    let mut answer = [0_u64; 8];
    // SAFETY: all of it lives until the call is over, and the answer has more room than any.
    unsafe {
        hmac_sha256(
            bytes.as_ptr(),
            1,
            bytes.as_ptr(),
            1,
            chain.as_ptr(),
            chain.len(),
            bytes.as_ptr(),
            1,
            answer.as_mut_ptr().cast(),
        );
    }
    "signed".to_owned()
}
