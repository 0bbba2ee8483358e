//! The `settings` table.

use cutover_hooks::testers::Testers;
use cutover_hooks::{Call, SettingFault, setup};
use serde::Deserialize;

use crate::file_test::FileTest;
use crate::master::Master;
use crate::symlink::Symlink;
use crate::upstream::Upstream;

/// All have defaults. `{name}` in them is the application's name, with `-ENVIRONMENT` where there are environments. The same defaults
/// stand in `grants.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// How the colour is chosen.
    pub style: StyleName,

    /// `file-test`: directory of the flags, which the deploy user writes and nginx's workers read.
    pub directory: Option<String>,
    /// `file-test`, `upstream`: port on 127.0.0.1 where nginx itself tells what it does.
    pub status_port: Option<u16>,
    /// `file-test`, `upstream`: file that nginx includes at the level of `http`.
    pub http_include: Option<String>,
    /// `file-test`: file that the application's `location` includes.
    pub location_include: Option<String>,

    /// `symlink`: the link that is switched; nginx includes what it points to.
    pub link: Option<String>,
    /// `symlink`: site of blue.
    pub blue: Option<String>,
    /// `symlink`: site of green.
    pub green: Option<String>,
    /// `symlink`: file for no colour at all.
    pub none: Option<String>,
    /// `symlink`: where each site answers with the name of its colour, as seen from the router's host.
    pub color_url: Option<String>,
    /// `symlink`: name for the Host header of that request.
    pub color_host: Option<String>,
    /// `upstream`: file with the servers that get requests, which the deploy user writes and `http-include` includes.
    pub include: Option<String>,
    /// `upstream`: what says in a request of which colour it wants to be, while requests are shared.
    pub testers: Option<Testers>,

    /// `symlink`, `upstream`: command that checks nginx's configuration.
    pub test: Option<Vec<String>>,
    /// `symlink`, `upstream`: command that makes nginx read it.
    pub reload: Option<Vec<String>>,
    /// `symlink`, `upstream`: whether both run as root.
    pub as_root: Option<bool>,
    /// `symlink`, `upstream`: file with the pid of nginx's master.
    pub pid_file: Option<String>,
    /// `symlink`, `upstream`: the program `ps`.
    pub ps: Option<String>,
    /// `symlink`, `upstream`: the program `ss`.
    pub ss: Option<String>,
}

/// How the colour is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StyleName {
    /// By a file test on each request: nothing is reloaded.
    #[default]
    FileTest,
    /// By a link to a site's configuration, and a reload.
    Symlink,
    /// By a file with weighted servers, and a reload.
    Upstream,
}

/// A style with all that it needs.
#[derive(Debug)]
pub enum Style {
    /// See [`StyleName::FileTest`].
    FileTest(FileTest),
    /// See [`StyleName::Symlink`].
    Symlink(Symlink),
    /// See [`StyleName::Upstream`].
    Upstream(Upstream),
}

pub(crate) const DIRECTORY: &str = "/var/lib/cutover-nginx/{name}";
pub(crate) const STATUS_PORT: u16 = 8099;
pub(crate) const HTTP_INCLUDE: &str = "/etc/nginx/conf.d/cutover-{name}.conf";
pub(crate) const LOCATION_INCLUDE: &str = "/etc/nginx/cutover/{name}.location";
pub(crate) const LINK: &str = "/var/lib/cutover-nginx/{name}/live";
pub(crate) const BLUE: &str = "/etc/nginx/sites-available/{name}-blue";
pub(crate) const GREEN: &str = "/etc/nginx/sites-available/{name}-green";
pub(crate) const NONE: &str = "/dev/null";
pub(crate) const INCLUDE: &str = "/var/lib/cutover-nginx/{name}/upstream.conf";
pub(crate) const COLOR_URL: &str = "http://127.0.0.1/deployment_id";
pub(crate) const TEST: &[&str] = &["/usr/sbin/nginx", "-t"];
pub(crate) const RELOAD: &[&str] = &["/usr/sbin/nginx", "-s", "reload"];
pub(crate) const PID_FILE: &str = "/run/nginx.pid";
pub(crate) const PS: &str = "/usr/bin/ps";
pub(crate) const SS: &str = "/usr/bin/ss";

impl Settings {
    /// The style, for the application of a call.
    #[must_use]
    pub fn style(&self, call: &Call) -> Style {
        let name = call.title();
        let text = |own: &Option<String>, default: &str| {
            own.clone().unwrap_or_else(|| default.replace("{name}", &name))
        };
        let words = |own: &Option<Vec<String>>, default: &[&str]| {
            own.clone().unwrap_or_else(|| default.iter().map(|word| (*word).to_owned()).collect())
        };
        let nginx = || Master {
            test: words(&self.test, TEST),
            reload: words(&self.reload, RELOAD),
            as_root: self.as_root.unwrap_or(true),
            pid_file: text(&self.pid_file, PID_FILE),
            ps: text(&self.ps, PS),
            ss: text(&self.ss, SS),
        };
        match self.style {
            StyleName::FileTest => Style::FileTest(FileTest {
                directory: text(&self.directory, DIRECTORY),
                status_port: self.status_port.unwrap_or(STATUS_PORT),
                http_include: text(&self.http_include, HTTP_INCLUDE),
                location_include: text(&self.location_include, LOCATION_INCLUDE),
                name,
            }),
            StyleName::Symlink => Style::Symlink(Symlink {
                link: text(&self.link, LINK),
                blue: text(&self.blue, BLUE),
                green: text(&self.green, GREEN),
                none: text(&self.none, NONE),
                color_url: text(&self.color_url, COLOR_URL),
                color_host: self.color_host.clone(),
                nginx: nginx(),
                name,
            }),
            StyleName::Upstream => Style::Upstream(Upstream {
                include: text(&self.include, INCLUDE),
                http_include: text(&self.http_include, HTTP_INCLUDE),
                status_port: self.status_port.unwrap_or(STATUS_PORT),
                testers: self.testers.clone(),
                nginx: nginx(),
                name,
            }),
        }
    }

    /// What the types can't express.
    #[must_use]
    pub fn faults(&self) -> Vec<SettingFault> {
        let mut faults = Vec::new();
        self.add_foreign(&mut faults);
        let paths = [
            ("directory", &self.directory),
            ("http-include", &self.http_include),
            ("location-include", &self.location_include),
            ("link", &self.link),
            ("blue", &self.blue),
            ("green", &self.green),
            ("none", &self.none),
            ("include", &self.include),
            ("pid-file", &self.pid_file),
            ("ps", &self.ps),
            ("ss", &self.ss),
        ];
        faults.extend(setup::path_faults(&paths));
        faults.extend(self.testers.iter().flat_map(Testers::faults));
        for (key, command) in [("test", &self.test), ("reload", &self.reload)] {
            let program = command.as_ref().map(|words| words.first().map_or("", String::as_str));
            if program.is_some_and(|program| !program.starts_with('/')) {
                faults.push(SettingFault::new(key, "a command begins with the absolute path of its program"));
            }
        }
        if let Some(url) = self.color_url.as_ref().filter(|url| !url.starts_with("http://")) {
            let reason = format!("`{url}` does not begin with `http://`");
            faults.push(SettingFault::new("color-url", reason));
        }
        if self.status_port == Some(0) {
            faults.push(SettingFault::new("status-port", "`0` is no port to ask on"));
        }
        faults
    }

    /// Keys of other styles would do nothing.
    fn add_foreign(&self, faults: &mut Vec<SettingFault>) {
        const FILE_TEST: StyleName = StyleName::FileTest;
        const SYMLINK: StyleName = StyleName::Symlink;
        const UPSTREAM: StyleName = StyleName::Upstream;
        let keys: [(&str, bool, &[StyleName]); 18] = [
            ("directory", self.directory.is_some(), &[FILE_TEST]),
            ("status-port", self.status_port.is_some(), &[FILE_TEST, UPSTREAM]),
            ("http-include", self.http_include.is_some(), &[FILE_TEST, UPSTREAM]),
            ("location-include", self.location_include.is_some(), &[FILE_TEST]),
            ("link", self.link.is_some(), &[SYMLINK]),
            ("blue", self.blue.is_some(), &[SYMLINK]),
            ("green", self.green.is_some(), &[SYMLINK]),
            ("none", self.none.is_some(), &[SYMLINK]),
            ("color-url", self.color_url.is_some(), &[SYMLINK]),
            ("color-host", self.color_host.is_some(), &[SYMLINK]),
            ("include", self.include.is_some(), &[UPSTREAM]),
            ("testers", self.testers.is_some(), &[UPSTREAM]),
            ("test", self.test.is_some(), &[SYMLINK, UPSTREAM]),
            ("reload", self.reload.is_some(), &[SYMLINK, UPSTREAM]),
            ("as-root", self.as_root.is_some(), &[SYMLINK, UPSTREAM]),
            ("pid-file", self.pid_file.is_some(), &[SYMLINK, UPSTREAM]),
            ("ps", self.ps.is_some(), &[SYMLINK, UPSTREAM]),
            ("ss", self.ss.is_some(), &[SYMLINK, UPSTREAM]),
        ];
        for (key, _, styles) in
            keys.iter().filter(|(_, written, styles)| *written && !styles.contains(&self.style))
        {
            let styles: Vec<String> =
                styles.iter().map(|style| format!("`style = \"{}\"`", style.as_str())).collect();
            faults.push(SettingFault::new(*key, format!("belongs to {}", styles.join(" and "))));
        }
    }
}

impl StyleName {
    /// As it is written.
    const fn as_str(self) -> &'static str {
        match self {
            Self::FileTest => "file-test",
            Self::Symlink => "symlink",
            Self::Upstream => "upstream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(String, String)> {
        let settings: Settings = serde_json::from_str(text).expect("the shape is fine");
        settings.faults().into_iter().map(|fault| (fault.key, fault.reason)).collect()
    }

    fn fault(key: &str, reason: &str) -> (String, String) {
        (key.to_owned(), reason.to_owned())
    }

    #[test]
    fn a_key_of_the_other_style_is_a_fault() {
        assert_eq!(
            faults(r#"{"link": "/etc/nginx/sites-enabled/shop"}"#),
            [fault("link", "belongs to `style = \"symlink\"`")]
        );
        assert_eq!(
            faults(r#"{"style": "symlink", "status-port": 8100, "as-root": false}"#),
            [fault("status-port", "belongs to `style = \"file-test\"` and `style = \"upstream\"`")]
        );
        assert_eq!(
            faults(
                r#"{"style": "upstream", "status-port": 8100, "include": "/x", "link": "/y", "ps": "/z"}"#
            ),
            [fault("link", "belongs to `style = \"symlink\"`")]
        );
        assert_eq!(
            faults(r#"{"include": "/x", "as-root": false, "testers": {"header": "x-canary"}}"#),
            [
                fault("include", "belongs to `style = \"upstream\"`"),
                fault("testers", "belongs to `style = \"upstream\"`"),
                fault("as-root", "belongs to `style = \"symlink\"` and `style = \"upstream\"`"),
            ]
        );
    }

    #[test]
    fn nothing_slips_into_nginxs_configuration() {
        for path in ["relative", "/a b", "/a;}", "/a\"", "/a/../b", "/a\n", "/$a", "/*", ""] {
            let settings = Settings { directory: Some(path.to_owned()), ..Settings::default() };
            assert_eq!(settings.faults().len(), 1, "{path:?}");
        }
        assert!(faults(r#"{"directory": "/tmp/x-1/flags_2"}"#).is_empty());
    }

    #[test]
    fn what_testers_say_is_checked() {
        assert_eq!(
            faults(r#"{"style": "upstream", "testers": {"header": "x_canary"}}"#),
            [fault("testers.header", "`x_canary` is no name of a header: letters, digits and `-`")]
        );
        assert_eq!(faults(r#"{"style": "upstream", "testers": {"cookie": "canary"}}"#), []);
    }

    #[test]
    fn commands_and_urls_are_checked() {
        assert_eq!(
            faults(r#"{"style": "symlink", "test": ["nginx"], "reload": [], "color-url": "/x"}"#),
            [
                fault("test", "a command begins with the absolute path of its program"),
                fault("reload", "a command begins with the absolute path of its program"),
                fault("color-url", "`/x` does not begin with `http://`"),
            ]
        );
    }

    /// What is granted by default and what is used by default are the same.
    #[test]
    fn the_defaults_of_the_grants_are_these() {
        let template: toml::Table = toml::from_str(include_str!("../grants.toml")).expect("TOML");
        let words = |words: &[&str]| words.iter().map(|word| (*word).into()).collect::<Vec<toml::Value>>();
        let expected: Vec<(&str, toml::Value)> = vec![
            ("style", "file-test".into()),
            ("directory", DIRECTORY.into()),
            ("status-port", i64::from(STATUS_PORT).into()),
            ("location-include", LOCATION_INCLUDE.into()),
            ("link", LINK.into()),
            ("blue", BLUE.into()),
            ("green", GREEN.into()),
            ("none", NONE.into()),
            ("color-url", COLOR_URL.into()),
            ("include", INCLUDE.into()),
            ("test", words(TEST).into()),
            ("reload", words(RELOAD).into()),
            ("as-root", true.into()),
            ("pid-file", PID_FILE.into()),
            ("ps", PS.into()),
            ("ss", SS.into()),
        ];
        let defaults = template["defaults"].as_table().expect("a table");
        let expected: toml::Table =
            expected.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        assert_eq!(defaults, &expected);
    }
}
