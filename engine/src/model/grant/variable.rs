//! Environment variables that rule what a program loads and runs.

/// Which hooks may be granted an environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableRule {
    /// Any.
    Free,
    /// A build's alone: it decides which code an interpreter or a tool runs. A build runs what the repository says as it is, so that nothing
    /// is gained by it; elsewhere it would make anything of a program that was granted for one thing.
    Build,
    /// None: the loader or a shell acts on it, whatever program was granted; or its value is fixed; or it is no name.
    Never,
}

/// Of the loader and the C library, of shells and of `sudo`.
const NEVER_PREFIXES: &[&str] = &["BASH_", "DYLD_", "GLIBC_", "LD_", "SUDO_"];
const NEVER: &[&str] = &[
    "",
    "CDPATH",
    "ENV",
    "GCONV_PATH",
    "HOME",
    "HOSTALIASES",
    "IFS",
    "LANG",
    "LOCPATH",
    "NLSPATH",
    "PATH",
    "PS4",
    "RESOLV_HOST_CONF",
    "SHELLOPTS",
    "USER",
];

/// Of interpreters, of build tools, and of the helpers that programs start.
const BUILD_PREFIXES: &[&str] =
    &["GIT_", "LUA_", "MALLOC_", "NODE_", "NPM_CONFIG_", "OPENSSL_", "PERL", "PYTHON", "RUBY", "npm_config_"];
const BUILD: &[&str] = &[
    "BROWSER",
    "CLASSPATH",
    "EDITOR",
    "ERL_AFLAGS",
    "ERL_FLAGS",
    "ERL_LIBS",
    "ERL_ZFLAGS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LESSCLOSE",
    "LESSOPEN",
    "MAKEFLAGS",
    "MANPAGER",
    "PAGER",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "SYSTEMD_EDITOR",
    "SYSTEMD_PAGER",
    "VISUAL",
    "_JAVA_OPTIONS",
];

impl VariableRule {
    /// The rule for a name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !plain || NEVER.contains(&name) || begins(NEVER_PREFIXES) {
            Self::Never
        } else if name == "NODE_ENV" {
            // The one name of its family that chooses no code.
            Self::Free
        } else if BUILD.contains(&name) || begins(BUILD_PREFIXES) {
            Self::Build
        } else {
            Self::Free
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_rule() {
        for (rule, names) in [
            (VariableRule::Free, &["MODE", "NODE_ENV", "MIX_ENV", "CARGO_HOME", "LC_ALL"][..]),
            (
                VariableRule::Build,
                &[
                    "NPM_CONFIG_CACHE",
                    "npm_config_registry",
                    "MAKEFLAGS",
                    "CLASSPATH",
                    "NODE_OPTIONS",
                    "GIT_DIR",
                ],
            ),
            (VariableRule::Build, &["PYTHONPATH", "RUSTC_WRAPPER", "OPENSSL_DIR", "PAGER"]),
            (
                VariableRule::Never,
                &["LD_PRELOAD", "LD_LIBRARY_PATH", "GLIBC_TUNABLES", "BASH_ENV", "ENV", "PATH"],
            ),
            (VariableRule::Never, &["HOME", "USER", "LANG", "IFS", "", "A B", "A=B", "BASH_FUNC_x%%"]),
        ] {
            for name in names {
                assert_eq!(VariableRule::of(name), rule, "{name}");
            }
        }
    }
}
