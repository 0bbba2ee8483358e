//! What nginx includes in the style `file-test`: a pure function of the settings and the instances.
//!
//! The colour is chosen by file tests, which nginx makes anew for each request: `DIRECTORY/green` decides between the colours, and so
//! a switch is one file that appears or goes. Without any flag (a fresh host, or a directory that the workers can't enter) no colour
//! is chosen, rather than the wrong one.

use std::fmt::Write as _;

use cutover_hooks::{Call, Color, HookError};

use crate::file_test::FileTest;

/// Version of the text that the status port answers with.
pub(crate) const VERSION: u32 = 1;

/// For the level of `http`: the servers of each colour, and the port on which nginx tells what it does.
pub(crate) fn http(style: &FileTest, call: &Call, router: &str) -> Result<String, HookError> {
    let FileTest { name, directory, status_port, .. } = style;
    let mut text = format!(
        "# Written by `cutover setup`. Change cutover.toml, and print it again, when hosts or ports change.\n\n\
         map $http_upgrade $cutover_connection {{\n    default upgrade;\n    ''      '';\n}}\n"
    );
    for color in [Color::Blue, Color::Green] {
        let _ = write!(text, "\nupstream cutover-{name}-{color} {{\n");
        for server in servers(call, router, color)? {
            let _ = writeln!(text, "    server {server};");
        }
        text.push_str("    keepalive 32;\n}\n");
    }
    let _ = write!(
        text,
        "\n# Asked by cutover before, while and after it switches.\n\
         server {{\n    \
             listen 127.0.0.1:{status_port};\n    \
             server_name {host};\n    \
             access_log off;\n    \
             default_type text/plain;\n    \
             open_file_cache off;\n    \
             set $cutover_probe no;\n    \
             if (-f {directory}/probe) {{ set $cutover_probe yes; }}\n\
         {choice}    \
             location / {{\n        \
                 return 200 \"{status}\";\n    \
             }}\n\
         }}\n",
        host = style.status_host(),
        choice = choice(directory),
        status = status(style, call, router)?,
    );
    Ok(text)
}

/// For the application's `location`.
pub(crate) fn location(style: &FileTest) -> String {
    let FileTest { name, directory, .. } = style;
    format!(
        "# Written by `cutover setup`: sends requests of {name} to the colour that a file names.\n\
         open_file_cache off;\n\
         {}\
         if ($cutover_color = none) {{ return 503; }}\n\
         proxy_pass http://cutover-{name}-$cutover_color;\n\
         proxy_http_version 1.1;\n\
         proxy_set_header Host $http_host;\n\
         proxy_set_header Upgrade $http_upgrade;\n\
         proxy_set_header Connection $cutover_connection;\n\
         proxy_set_header X-Real-IP $remote_addr;\n\
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         proxy_set_header X-Forwarded-Proto $scheme;\n",
        choice(directory).replace("    ", ""),
    )
}

/// One test decides between the colours, so that no request can see both or neither while they change.
fn choice(directory: &str) -> String {
    format!(
        "    set $cutover_color none;\n    \
         if (-f {directory}/blue) {{ set $cutover_color blue; }}\n    \
         if (-f {directory}/green) {{ set $cutover_color green; }}\n"
    )
}

/// What the status port answers, with nginx's variables in it.
fn status(style: &FileTest, call: &Call, router: &str) -> Result<String, HookError> {
    Ok(format!(
        "cutover {VERSION} {}\\ncolor $cutover_color\\nprobe $cutover_probe\\nblue {}\\ngreen {}\\n",
        style.name,
        servers(call, router, Color::Blue)?.join(" "),
        servers(call, router, Color::Green)?.join(" "),
    ))
}

/// `address:port` of each instance of a colour, as this router reaches it.
pub(crate) fn servers(call: &Call, router: &str, color: Color) -> Result<Vec<String>, HookError> {
    let instances = call.instances.iter().filter(|instance| instance.color == color);
    let servers: Vec<String> = instances.map(|instance| instance.authority_from(router)).collect();
    if servers.is_empty() {
        return Err(HookError::failed(format!("{color} has no instances")));
    }
    let harmless = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
    match servers.iter().find(|server| !server.chars().all(harmless)) {
        Some(server) => Err(HookError::failed(format!("`{server}` is no address for an upstream of nginx"))),
        None => Ok(servers),
    }
}

#[cfg(test)]
mod tests {
    use cutover_hooks::fake;

    use super::*;
    use crate::settings::{Settings, Style};

    fn style(call: &Call) -> FileTest {
        match Settings::default().style(call) {
            Style::FileTest(style) => style,
            Style::Symlink(_) => unreachable!("the default style is a file test"),
        }
    }

    fn call() -> Call {
        let mut instances = Vec::new();
        for color in [Color::Blue, Color::Green] {
            instances.push(fake::instance("web1", color, "10.0.0.11"));
            instances.push(fake::instance("web2", color, "fd00::12"));
        }
        let mut call = fake::call("{}", instances);
        call.facts.push(("environment".to_owned(), "production".to_owned()));
        call
    }

    #[test]
    fn the_includes_are_these() {
        let call = call();
        let style = style(&call);
        assert_eq!(http(&style, &call, "lb1").expect("text"), include_str!("../golden/http.conf"));
        assert_eq!(location(&style), include_str!("../golden/location.conf"));
    }

    #[test]
    fn a_router_reaches_what_runs_beside_it_over_loopback() {
        let found = servers(&call(), "web2", Color::Green).expect("servers");
        assert_eq!(found, ["10.0.0.11:4002", "127.0.0.1:4002"]);
    }

    #[test]
    fn nothing_slips_in_through_an_address() {
        let mut call = call();
        call.instances[1].address = "x; return 200".to_owned();
        assert!(http(&style(&call), &call, "lb1").is_err());
        call.instances.clear();
        assert_eq!(servers(&call, "lb1", Color::Blue), Err(HookError::failed("blue has no instances")));
    }
}
