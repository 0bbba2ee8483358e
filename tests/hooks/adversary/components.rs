//! What a mode loads.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use cutover::hook::HookPool;

use super::super::stage::{Stage, stranger};

/// A file that claims to be a hook.
pub(super) enum Component {
    /// `tests/components/stranger`.
    Stranger,
    /// A component in text, for what no compiler makes. It exports a health check without any function: it never gets so far.
    Text(String),
    /// A component whose functions take long and much to compile: each line depends on all before.
    Heavy { functions: u32, lines: usize },
    /// Bytes.
    Bytes(Vec<u8>),
    /// The stranger, in a sandbox that is this shell script.
    Sandbox(&'static str),
    /// The text of a script, `script:…`.
    Script(String),
    /// The stranger, in a sandbox that stops in the middle of the question.
    Frozen,
}

impl Component {
    pub(super) fn wasm(&self) -> Vec<u8> {
        match self {
            Self::Stranger | Self::Sandbox(_) | Self::Frozen => stranger(),
            Self::Text(text) => component(text),
            Self::Heavy { functions, lines } => heavy(*functions, *lines),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Script(text) => text.clone().into_bytes(),
        }
    }

    pub(super) fn pool(&self, stage: &Stage) -> HookPool {
        let program = env!("CARGO_BIN_EXE_cutover");
        let frozen = format!("(sleep 2; kill -STOP $$) & exec '{program}' \"$@\"");
        let (script, cache) = match self {
            Self::Sandbox(script) => (*script, None),
            Self::Frozen => (frozen.as_str(), Some(stage.cache())),
            Self::Stranger | Self::Text(_) | Self::Heavy { .. } | Self::Bytes(_) | Self::Script(_) => {
                return stage.pool(Some(stage.cache()));
            }
        };
        let path = stage.place.path().join("sandbox");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        stage.pool_of(path, cache)
    }
}

/// A component with this in it, and a health check that has no functions.
fn component(text: &str) -> Vec<u8> {
    let export = r#"(instance $none) (export "cutover:hook/health-check@0.1.0" (instance $none))"#;
    wat::parse_str(format!("(component {text} {export})")).unwrap()
}

/// Byte by byte: as text it would take the memory that is to be measured.
fn heavy(functions: u32, lines: usize) -> Vec<u8> {
    // local.get 0, local.get 1, i64.rotl, local.get 0, i64.mul, local.tee 1, local.get 0, i64.xor, local.set 0
    const LINE: [u8; 15] = [0x20, 0, 0x20, 1, 0x89, 0x20, 0, 0x7e, 0x22, 1, 0x20, 0, 0x85, 0x21, 0];
    // No locals; at last local.get 0, end.
    let function = [&[0], LINE.repeat(lines).as_slice(), &[0x20, 0, 0x0b]].concat();
    let function = sized(&function);
    let mut types = leb(functions);
    types.extend((0..functions).map(|_| 0));
    let mut code = leb(functions);
    (0..functions).for_each(|_| code.extend(&function));
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    // One type: two numbers to one.
    for (section, content) in [(1, &[1, 0x60, 2, 0x7e, 0x7e, 1, 0x7e][..]), (3, &types), (10, &code)] {
        module.push(section);
        module.extend(sized(content));
    }
    let rest = component("");
    let (head, rest) = rest.split_at(8);
    [head, &[1], &sized(&module), rest].concat()
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [leb(u32::try_from(bytes.len()).unwrap()), bytes.to_vec()].concat()
}

/// A number as WebAssembly writes it.
fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
