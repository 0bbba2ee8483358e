//! The environment of the program: who calls it, from where, and where its own files lie.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

/// Variables of the environment that are text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process.
    pub(super) fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// All of it.
    pub(super) const fn variables(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// A variable that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Directory for what can be made anew: git mirrors, compiled hooks.
    pub(super) fn cache_directory(&self, home: &str) -> Utf8PathBuf {
        self.directory("XDG_CACHE_HOME", home, ".cache")
    }

    /// Directory for what lasts: the key that compiled hooks are sealed with.
    pub(super) fn state_directory(&self, home: &str) -> Utf8PathBuf {
        self.directory("XDG_STATE_HOME", home, ".local/state")
    }

    /// The XDG rules: a relative path counts as none.
    fn directory(&self, variable: &str, home: &str, default: &str) -> Utf8PathBuf {
        let given = self.get(variable).map(Utf8PathBuf::from).filter(|path| path.is_absolute());
        given.unwrap_or_else(|| Utf8PathBuf::from(home).join(default)).join("cutover")
    }

    /// Whether a runner of continuous integration calls.
    pub(super) fn is_ci(&self) -> bool {
        self.get("CI").is_some_and(|value| value != "false") || self.get("TF_BUILD").is_some()
    }

    /// Link to the run of continuous integration that calls, or the word `CI` when it can't be told which.
    pub(super) fn ci(&self) -> Option<String> {
        // GitHub and Azure say it in parts; GitLab, Jenkins, Buildkite, CircleCI, Drone and Woodpecker, Travis in one.
        let parts = |names: [&str; 3]| -> Option<[&str; 3]> {
            Some([self.get(names[0])?, self.get(names[1])?, self.get(names[2])?])
        };
        if let Some([server, repository, run]) = parts(["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"]) {
            return Some(format!("{server}/{repository}/actions/runs/{run}"));
        }
        let azure = ["SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_BUILDID"];
        if let Some([server, project, run]) = parts(azure) {
            return Some(format!("{server}{project}/_build/results?buildId={run}"));
        }
        let whole = [
            "CI_JOB_URL",
            "CI_PIPELINE_URL",
            "BUILD_URL",
            "BUILDKITE_BUILD_URL",
            "CIRCLE_BUILD_URL",
            "DRONE_BUILD_LINK",
            "TRAVIS_BUILD_WEB_URL",
        ];
        let link = whole.iter().find_map(|name| self.get(name)).map(str::to_owned);
        link.or_else(|| self.is_ci().then(|| "CI".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn the_run_that_calls_is_linked() {
        let github = [
            ("CI", "true"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_RUN_ID", "812"),
        ];
        let link = environment(&github).ci();
        assert_eq!(link.as_deref(), Some("https://github.example/acme/shop/actions/runs/812"));
        let gitlab = environment(&[("CI_PIPELINE_URL", "https://ci.example/p/1"), ("CI_JOB_URL", "https://ci.example/j/2")]);
        assert_eq!(gitlab.ci().as_deref(), Some("https://ci.example/j/2"));
        assert_eq!(environment(&[("CI", "true")]).ci().as_deref(), Some("CI"));
        assert_eq!(environment(&[("CI", "false")]).ci(), None);
        assert_eq!(environment(&[("GITHUB_RUN_ID", "812")]).ci(), None);
    }

    #[test]
    fn own_files_lie_where_the_user_wants_them() {
        let given = environment(&[("XDG_CACHE_HOME", "/c"), ("XDG_STATE_HOME", "relative")]);
        assert_eq!(given.cache_directory("/home/ann"), "/c/cutover");
        assert_eq!(given.state_directory("/home/ann"), "/home/ann/.local/state/cutover");
    }
}
