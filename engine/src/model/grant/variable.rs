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

/// Of the loader and the C library (ld.so(8), "secure-execution mode" and glibc's `unsecvars.h`; dyld(1)), of shells and of `sudo`.
const NEVER_PREFIXES: &[&str] = &["BASH_", "DYLD_", "GLIBC_", "LD_", "SUDO_"];

/// The same, by name: what bash(1), dash(1), ksh(1) and zsh(1) read their start-up files and options from, and what the C library loads
/// converters, messages and names of hosts by.
const NEVER: &[&str] = &[
    "",
    "BASHOPTS",
    "CDPATH",
    "ENV",
    "FPATH",
    "GCONV_PATH",
    "GETCONF_DIR",
    "HOME",
    "HOSTALIASES",
    "IFS",
    "LANG",
    "LOCALDOMAIN",
    "LOCPATH",
    "NIS_PATH",
    "NLSPATH",
    "PATH",
    "PROMPT_COMMAND",
    "PS4",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "SHELLOPTS",
    "TZDIR",
    "USER",
    "ZDOTDIR",
];

/// Families of interpreters, of build tools, and of the helpers that programs start: each has at least one member that names code to
/// load, a program to run, or a file of settings that names one (git(1) `GIT_SSH_COMMAND`, perlrun(1), the manuals of `dotnet`, `cargo`,
/// `bundle`, `pip`, `ansible`, `helm`, `terraform`).
const BUILD_PREFIXES: &[&str] = &[
    "ANSIBLE_",
    "BUNDLE_",
    "CARGO_",
    "CGO_",
    "CLOUDSDK_",
    "CMAKE_",
    "COMPOSER",
    "COMPlus_",
    "CONDA_",
    "CORECLR_",
    "COR_",
    "DBUS_",
    "DENO_",
    "DOTNET_",
    "GIT_",
    "HELM_",
    "JULIA_",
    "LUA_",
    "MALLOC_",
    "NIX_",
    "NODE_",
    "NPM_CONFIG_",
    "OPENSSL_",
    "PERL",
    "PIP_",
    "PNPM_",
    "POETRY_",
    "PYTHON",
    "RUBY",
    "RUSTUP_",
    "TF_CLI_",
    "TS_NODE_",
    "UV_",
    "YARN_",
    "npm_config_",
    "pnpm_config_",
];

/// The same, by name: options and search paths of interpreters and compilers, programs that others start, and where programs look for
/// their settings, their plugins or whom they trust.
const BUILD: &[&str] = &[
    "ANT_ARGS",
    "ANT_OPTS",
    "AR",
    "AS",
    "AWKLIBPATH",
    "AWKPATH",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AZURE_CONFIG_DIR",
    "AZURE_EXTENSION_DIR",
    "BABEL_NODE_OPTIONS",
    "BOTO_CONFIG",
    "BROWSER",
    "BUN_INSTALL",
    "BUN_OPTIONS",
    "CC",
    "CFLAGS",
    "CLASSPATH",
    "COMPILER_PATH",
    "CPP",
    "CURL_CA_BUNDLE",
    "CURL_HOME",
    "CVS_RSH",
    "CXX",
    "CXXFLAGS",
    "DOCKER_CONFIG",
    "EDITOR",
    "ELIXIR_ERL_OPTIONS",
    "EMACSLOADPATH",
    "ERL_AFLAGS",
    "ERL_FLAGS",
    "ERL_LIBS",
    "ERL_ZFLAGS",
    "EXINIT",
    "GCC_EXEC_PREFIX",
    "GEM_HOME",
    "GEM_PATH",
    "GIO_EXTRA_MODULES",
    "GIO_MODULE_DIR",
    "GNUPGHOME",
    "GOENV",
    "GOFLAGS",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOPATH",
    "GOPROXY",
    "GOROOT",
    "GOSUMDB",
    "GOTOOLCHAIN",
    "GOTOOLDIR",
    "GOVCS",
    "GOWORK",
    "GRADLE_HOME",
    "GRADLE_OPTS",
    "GRADLE_USER_HOME",
    "GUILE_LOAD_COMPILED_PATH",
    "GUILE_LOAD_PATH",
    "HEX_HOME",
    "HGRCPATH",
    "INPUTRC",
    "JAVA_HOME",
    "JAVA_OPTS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "JRUBY_OPTS",
    "KRB5_CONFIG",
    "KUBECONFIG",
    "LD",
    "LDFLAGS",
    "LESS",
    "LESSCLOSE",
    "LESSKEY",
    "LESSKEYIN",
    "LESSOPEN",
    "LIBMYSQL_PLUGINS",
    "LIBMYSQL_PLUGIN_DIR",
    "M2_HOME",
    "MAKEFILES",
    "MAKEFLAGS",
    "MANPAGER",
    "MAVEN_ARGS",
    "MAVEN_CONFIG",
    "MAVEN_HOME",
    "MAVEN_OPTS",
    "MIX_ARCHIVES",
    "MIX_EXS",
    "MIX_HOME",
    "MIX_PATH",
    "MYSQL_HOME",
    "NETRC",
    "OCAMLPATH",
    "ODBCINI",
    "ODBCSYSINI",
    "PAGER",
    "PGPASSFILE",
    "PGSERVICEFILE",
    "PGSYSCONFDIR",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "PKG_CONFIG",
    "PKG_CONFIG_PATH",
    "PSQLRC",
    "PSQL_PAGER",
    "REQUESTS_CA_BUNDLE",
    "RSYNC_CONNECT_PROG",
    "RSYNC_RSH",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "R_ENVIRON",
    "R_ENVIRON_USER",
    "R_HOME",
    "R_LIBS",
    "R_LIBS_USER",
    "R_PROFILE",
    "R_PROFILE_USER",
    "SASL_PATH",
    "SBT_OPTS",
    "SHELL",
    "SSH_ASKPASS",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SVN_SSH",
    "SYSTEMD_EDITOR",
    "SYSTEMD_PAGER",
    "TCLLIBPATH",
    "TERMCAP",
    "TERMINFO",
    "TERMINFO_DIRS",
    "VIMINIT",
    "VIRTUAL_ENV",
    "VISUAL",
    "WGETRC",
    "XDG_CONFIG_DIRS",
    "XDG_CONFIG_HOME",
    "XDG_DATA_DIRS",
    "XDG_DATA_HOME",
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
    fn the_lists_are_in_order_and_say_each_thing_once() {
        for list in [NEVER_PREFIXES, NEVER, BUILD_PREFIXES, BUILD] {
            assert!(list.is_sorted_by(|before, after| before < after), "{list:?}");
        }
        let twice = |name: &&&str| {
            BUILD_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NEVER.contains(name)
        };
        assert_eq!(BUILD.iter().filter(twice).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn names_have_their_rule() {
        for (rule, names) in [
            (VariableRule::Free, &["MODE", "NODE_ENV", "MIX_ENV", "RUST_LOG", "GOMAXPROCS", "LC_ALL"][..]),
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
                VariableRule::Build,
                &[
                    "GOFLAGS",
                    "DOTNET_STARTUP_HOOKS",
                    "MAVEN_OPTS",
                    "GRADLE_OPTS",
                    "JAVA_TOOL_OPTIONS",
                    "CARGO_HOME",
                    "CARGO_BUILD_RUSTC_WRAPPER",
                    "XDG_CONFIG_HOME",
                    "CURL_HOME",
                    "KUBECONFIG",
                    "AWS_CONFIG_FILE",
                    "BUNDLE_GEMFILE",
                    "GIT_SSH_COMMAND",
                    "PERL5LIB",
                    "PERL5OPT",
                    "PYTHONSTARTUP",
                    "MAKEFILES",
                ],
            ),
            (VariableRule::Never, &["ZDOTDIR", "DYLD_INSERT_LIBRARIES", "BASHOPTS", "FPATH", "GCONV_PATH"]),
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
