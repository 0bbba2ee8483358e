//! Text of the unit template, the same for every release.

use super::Slot;
use crate::model::{Driver, SystemdScope};

/// The unit template of an application: made once by `setup` for the system's systemd, written at each start for the user's own.
///
/// None when the driver is not systemd.
#[must_use]
pub fn unit_file(slot: &Slot<'_>) -> Option<String> {
    let Driver::Systemd { scope, unit } = slot.driver() else { return None };
    let title = escape(&slot.deployment.title());
    let (owner, wanted_by, user) = match scope {
        SystemdScope::System => {
            let user = slot.deployment.application.user.as_deref().unwrap_or(&slot.login);
            ("`cutover setup`", "multi-user.target", format!("User={}\n", escape(user)))
        }
        SystemdScope::User => ("cutover", "default.target", String::new()),
    };
    let script = quoted(&format!("{}/run/", slot.directory()), "%i.sh");
    let seconds = slot.stop_timeout().as_secs_f64();
    let extra: String = unit.iter().map(|line| format!("{line}\n")).collect();
    Some(format!(
        "# Written by {owner} for {title}; one instance a colour.\n\
         [Unit]\n\
         Description={title} (%i)\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         # A process that keeps failing is started again for as long as it is wanted.\n\
         StartLimitIntervalSec=0\n\
         \n\
         [Service]\n\
         Type=exec\n\
         {user}\
         # Opened as the application's user, not as root.\n\
         ExecStart=/bin/sh {script}\n\
         Restart=on-failure\n\
         RestartSec=2\n\
         # SIGTERM to all processes of the unit, then SIGKILL to what is left.\n\
         KillMode=control-group\n\
         TimeoutStopSec={seconds}\n\
         {extra}\
         \n\
         [Install]\n\
         WantedBy={wanted_by}\n"
    ))
}

/// `%` begins a specifier in nearly every setting.
fn escape(text: &str) -> String {
    text.replace('%', "%%")
}

/// One word of a command line, in double quotes where needed; `specifiers` is appended as it stands.
fn quoted(text: &str, specifiers: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,".contains(c);
    if text.chars().all(harmless) {
        return format!("{text}{specifiers}");
    }
    let escaped = escape(text).replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$");
    format!("\"{escaped}{specifiers}\"")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::model::Color;

    #[test]
    fn paths_survive_the_unit_file() {
        assert_eq!(quoted("/srv/shop/run/", "%i.sh"), "/srv/shop/run/%i.sh");
        assert_eq!(quoted("/srv/a b/", "%i"), "\"/srv/a b/%i\"");
        assert_eq!(quoted("/srv/50%$\"\\", "%i"), "\"/srv/50%%$$\\\"\\\\%i\"");
    }

    #[test]
    fn the_users_own_systemd_has_no_user_line() {
        let driver =
            Driver::Systemd { scope: SystemdScope::User, unit: vec!["LimitNOFILE=65536".to_owned()] };
        let deployment = sample::deployment(driver);
        let web1 = sample::name("web1");
        let slot =
            Slot::new(&deployment, &web1, Color::Green, &sample::facts("deploy", 1000)).expect("a slot");
        assert_eq!(
            unit_file(&slot).expect("a unit"),
            "\
# Written by cutover for shop/production; one instance a colour.
[Unit]
Description=shop/production (%i)
Wants=network-online.target
After=network-online.target
# A process that keeps failing is started again for as long as it is wanted.
StartLimitIntervalSec=0

[Service]
Type=exec
# Opened as the application's user, not as root.
ExecStart=/bin/sh /srv/shop/run/%i.sh
Restart=on-failure
RestartSec=2
# SIGTERM to all processes of the unit, then SIGKILL to what is left.
KillMode=control-group
TimeoutStopSec=30
LimitNOFILE=65536

[Install]
WantedBy=default.target
"
        );
    }
}
