//! What a file is that ought to be a component, by its first bytes.

/// Says what a file is when it can't be a component.
///
/// # Errors
/// With what it is instead, in words that fit after "is not a component: ".
pub(super) fn expect_component(bytes: &[u8]) -> Result<(), String> {
    let text = || {
        let head = &bytes[..bytes.len().min(512)];
        String::from_utf8_lossy(head).trim_start().to_ascii_lowercase()
    };
    let found = match bytes {
        [] => "the file is empty",
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, sections @ ..] => {
            return match missing_bytes(sections) {
                0 => Ok(()),
                1 => Err("the file is cut off in the middle".to_owned()),
                missing => Err(format!("the file is cut off: at least {missing} bytes are missing")),
            };
        }
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => "the file is a core WebAssembly module",
        [0, b'a', b's', b'm', _, _, _, _, ..] => {
            "the file is WebAssembly of a version that this program does not know"
        }
        [0, b'a', b's', b'm', ..] => "the file is cut off after the first bytes",
        [0x7f, b'E', b'L', b'F', ..] | [0xcf, 0xfa, 0xed, 0xfe, ..] | [b'M', b'Z', ..] => {
            "the file is a native program"
        }
        [0x1f, 0x8b, ..] | [b'P', b'K', 3, 4, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            "the file is an archive or compressed"
        }
        _ if text().starts_with("<!doctype") || text().starts_with("<html") => {
            "the file is an HTML page: a download that was answered with an error or a login"
        }
        _ if text().starts_with("version https://git-lfs") => {
            "the file is a pointer of Git LFS: fetch its content"
        }
        _ if text().starts_with("(component") || text().starts_with("(module") => {
            "the file is WebAssembly text, not binary"
        }
        _ if text().starts_with("#!") => "the file is a script",
        _ => "the file does not begin like WebAssembly",
    };
    Err(found.to_owned())
}

/// How many bytes the last section lacks. A section is a number, its length (LEB128), and that many bytes.
fn missing_bytes(mut sections: &[u8]) -> u64 {
    while let [_, rest @ ..] = sections {
        let mut length = 0_u64;
        let Some(end) = rest.iter().take(5).position(|byte| byte & 0x80 == 0) else {
            // Too long a number is for the compiler to complain about.
            return u64::from(rest.len() < 5);
        };
        for byte in rest[..=end].iter().rev() {
            length = length << 7 | u64::from(byte & 0x7f);
        }
        let body = &rest[end + 1..];
        match usize::try_from(length).ok().and_then(|length| body.get(length..)) {
            Some(next) => sections = next,
            None => return length - body.len() as u64,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart() {
        for (bytes, expected) in [
            (&b"\0asm\x0d\0\x01\0"[..], Ok(())),
            (b"\0asm\x0d\0\x01\0\x00\x02ab\x01\x80\x00", Ok(())),
            (
                b"\0asm\x0d\0\x01\0\x00\x02ab\x01\x83\x01abc",
                Err("the file is cut off: at least 128 bytes are missing"),
            ),
            (b"\0asm\x0d\0\x01\0\x00\x02a", Err("the file is cut off in the middle")),
            (b"\0asm\x0d\0\x01\0\x00\x82", Err("the file is cut off in the middle")),
            (b"", Err("the file is empty")),
            (b"\0asm", Err("the file is cut off after the first bytes")),
            (b"\0asm\x01\0\0\0", Err("the file is a core WebAssembly module")),
            (
                b"\0asm\x0e\0\x01\0",
                Err("the file is WebAssembly of a version that this program does not know"),
            ),
            (b"\x7fELF\x02", Err("the file is a native program")),
            (
                b"\n<!DOCTYPE html><html>",
                Err("the file is an HTML page: a download that was answered with an error or a login"),
            ),
            (b"#!/bin/sh\n", Err("the file is a script")),
            (b"(component)", Err("the file is WebAssembly text, not binary")),
            (
                b"version https://git-lfs.github.com/spec/v1\n",
                Err("the file is a pointer of Git LFS: fetch its content"),
            ),
            (b"hello", Err("the file does not begin like WebAssembly")),
        ] {
            assert_eq!(expect_component(bytes), expected.map_err(str::to_owned));
        }
    }
}
