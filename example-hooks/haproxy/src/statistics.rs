//! What `show stat` says of one backend.

use cutover_hooks::HookError;

use crate::admin_socket::{AdminSocket, INSTALL};
use crate::server::Server;

/// A backend and its servers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Statistics {
    /// Sessions that it has now, those that wait for a server too. An upgraded connection, a websocket, is one until it ends.
    pub(crate) sessions: u32,
    pub(crate) servers: Vec<Server>,
}

/// `4 + 2`: servers, and the backend as a whole; `-1`: all of them.
pub(crate) fn question(backend: &str) -> String {
    format!("show stat {backend} 6 -1")
}

/// Asks the running HAProxy.
pub(crate) fn ask(socket: &AdminSocket<'_>, backend: &str) -> Result<Statistics, HookError> {
    let line = question(backend);
    let answer = socket.ask(&line)?;
    if answer.trim_end() == "No such proxy." {
        let text = format!("HAProxy on `{}` has no backend `{backend}`", socket.router);
        return Err(HookError::failed(text).hint(INSTALL));
    }
    parse(&answer).ok_or_else(|| socket.nonsense(&line, &answer))
}

/// None where it is no such answer.
fn parse(answer: &str) -> Option<Statistics> {
    let mut lines = answer.lines().filter(|line| !line.is_empty());
    let head = fields(lines.next()?.strip_prefix("# ")?);
    let place = |name: &str| head.iter().position(|found| found == name);
    let (name, sessions, status) = (place("svname")?, place("scur")?, place("status")?);
    let (backup, address) = (place("bck")?, place("addr")?);
    let (checked, code) = (place("check_status")?, place("check_code")?);
    let (description, said) = (place("check_desc")?, place("last_chk")?);
    let mut statistics = None;
    let mut servers = Vec::new();
    for line in lines {
        let line = fields(line);
        let text = |place: usize| line.get(place).map_or("", String::as_str);
        match text(name) {
            "" => return None,
            "BACKEND" => statistics = Some(text(sessions).parse().ok()?),
            own => servers.push(Server {
                name: own.to_owned(),
                address: text(address).to_owned(),
                status: text(status).to_owned(),
                checked: text(checked).to_owned(),
                check: check_words(text(description), text(code), text(said)),
                sessions: text(sessions).parse().ok()?,
                backup: text(backup) == "1",
            }),
        }
    }
    Some(Statistics { sessions: statistics?, servers })
}

/// What a check came to: `Layer7 wrong status 404: Not Found`.
fn check_words(description: &str, code: &str, said: &str) -> String {
    let code = if code.is_empty() { String::new() } else { format!(" {code}") };
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    format!("{description}{code}{said}")
}

/// The fields of a line: a text with a comma is in quotes, and a quote in it is there twice.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                push(&mut fields, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            letter => push(&mut fields, letter),
        }
    }
    fields
}

fn push(fields: &mut [String], letter: char) {
    if let Some(field) = fields.last_mut() {
        field.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As HAProxy 2.6 answers, with the columns that nobody asks for taken out.
    const ANSWER: &str = "# pxname,svname,scur,status,bck,check_status,check_code,last_chk,check_desc,addr,\n\
                          shop-green,web1,3,DOWN,0,L4CON,,\"refused, \"\"twice\"\"\",Layer4 connection problem,10.0.0.11:4002,\n\
                          shop-green,web2,2,UP,0,L4OK,,,Layer4 check passed,[fd00::12]:4002,\n\
                          shop-green,sorry,0,no check,1,,,,,127.0.0.1:80,\n\
                          shop-green,BACKEND,6,UP,1,,,,,,\n\n";

    #[test]
    fn servers_and_sessions_are_read() {
        let found = parse(ANSWER).expect("statistics");
        assert_eq!(found.sessions, 6);
        let words: Vec<String> = found.servers.iter().map(Server::words).collect();
        assert_eq!(
            words,
            ["web1 DOWN (Layer4 connection problem: refused, \"twice\")", "web2 UP", "sorry no check"]
        );
        let sessions: Vec<u32> = found.servers.iter().map(|server| server.sessions).collect();
        assert_eq!(sessions, [3, 2, 0]);
        let backup: Vec<bool> = found.servers.iter().map(|server| server.backup).collect();
        assert_eq!(backup, [false, false, true]);
        assert_eq!(found.servers[1].address, "[fd00::12]:4002");
    }

    #[test]
    fn nothing_else_is_taken_for_statistics() {
        for answer in [
            "",
            "\n",
            "HTTP/1.1 400 Bad Request\r\n\r\n<h1>log in</h1>",
            "# pxname,svname\nshop,web1\n",
            "Unknown command.\n",
            &ANSWER.replace(",6,", ",six,"),
            &ANSWER.replace("shop-green,BACKEND,6,UP,1,,,,,,\n", ""),
            &ANSWER.replace("web2,2,", "web2,,"),
        ] {
            assert_eq!(parse(answer), None, "{answer}");
        }
    }
}
