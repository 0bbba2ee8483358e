//! What is installed once on a router's host: a pure function of the settings.

use cutover_hooks::{Call, setup};

use crate::Settings;

/// What the machine is called that cutover runs on, where nothing else is configured.
const LOCAL: &str = "local";

/// As a script.
pub(crate) fn script(settings: &Settings, call: &Call, router: &str, user: &str) -> String {
    let (directory, program) = (settings.directory(), settings.program());
    let listen: Vec<String> = settings.listen().iter().map(|address| format!("--listen {address}")).collect();
    // A name of the configuration is none of SSH's.
    let bring = if router == LOCAL {
        format!("put it there:\n#     sudo install -m 755 \"$(command -v cutover)\" {program}")
    } else {
        format!(
            "bring it from where you run cutover, HOST being what `ssh` reaches {router} by:\n\
             #     scp \"$(command -v cutover)\" HOST:cutover && ssh -t HOST sudo install -m 755 cutover {program}"
        )
    };
    let values = [
        ("bring", bring),
        ("name", call.title()),
        ("router", router.to_owned()),
        ("user", user.to_owned()),
        ("directory", directory.to_owned()),
        ("program", program.to_owned()),
        ("listen", listen.join(" ")),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(key, value)| (*key, value.as_str())).collect();
    setup::fill(include_str!("template/setup.sh"), &values)
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;

    #[test]
    fn the_script_is_this() {
        let call = fake::call("{}", Vec::new());
        let text = script(&Settings::default(), &call, "lb1", "deploy");
        assert_eq!(text, include_str!("../golden/setup.sh"));
        let settings = r#"{"directory": "/srv/proxy", "program": "/opt/cutover", "listen": ["10.0.0.1:80", "[::1]:8080"]}"#;
        let settings: Settings = serde_json::from_str(settings).expect("settings");
        let here = script(&settings, &call, "local", "root");
        assert!(
            here.contains(
                "put it there:\n#     sudo install -m 755 \"$(command -v cutover)\" /opt/cutover\n"
            ),
            "{here}"
        );
        let text = script(&settings, &call, "lb1", "root");
        assert_eq!(text, include_str!("../golden/setup-elsewhere.sh"));
    }
}
