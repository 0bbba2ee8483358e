//! What `show servers state` says, and the file that HAProxy reads it from when it starts.

/// One server of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerState {
    /// Its name in the backend.
    pub(crate) name: String,
    /// Whether it is to get requests, were it only up.
    pub(crate) takes: bool,
    /// Whether it has been taken out, so that it is not even checked.
    pub(crate) out: bool,
    /// Its weight among those that take.
    pub(crate) weight: u32,
}

/// Bits of `srv_admin_state` with which a server is in maintenance. The one that says that haproxy.cfg has it `disabled` is none of them:
/// it stays when the server is let in.
const OUT: u32 = 0x01 | 0x02 | 0x20 | 0x40;
/// Those with which it is drained.
const DRAINED: u32 = 0x08 | 0x10;

/// The servers of a backend; none where this is no such text.
pub(crate) fn parse(text: &str, backend: &str) -> Option<Vec<ServerState>> {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    if lines.next()? != "1" {
        return None;
    }
    let head: Vec<&str> = lines.next()?.strip_prefix("# ")?.split(' ').collect();
    let place = |name: &str| head.iter().position(|found| *found == name);
    let (of, name) = (place("be_name")?, place("srv_name")?);
    let (admin, weight) = (place("srv_admin_state")?, place("srv_uweight")?);
    let mut servers = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        if *words.get(of)? != backend {
            continue;
        }
        let bits: u32 = words.get(admin)?.parse().ok()?;
        let weight = words.get(weight)?.parse().ok()?;
        servers.push(ServerState {
            name: (*words.get(name)?).to_owned(),
            takes: bits & (OUT | DRAINED) == 0 && weight > 0,
            out: bits & OUT != 0,
            weight,
        });
    }
    Some(servers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As HAProxy 2.6 answers, with the last columns taken out.
    const ANSWER: &str = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight\n\
                          3 shop 1 blue-web1 127.0.0.1 2 8 1 1\n3 shop 2 blue-web2 127.0.0.1 0 5 1 1\n\
                          3 shop 3 green-web1 127.0.0.1 2 4 10 1\n3 shop 4 green-web2 127.0.0.1 0 0 0 1\n\
                          4 blog 1 web1 127.0.0.1 2 0 1 1\n\n";

    #[test]
    fn a_server_takes_requests_or_it_does_not() {
        let found = parse(ANSWER, "shop").expect("states");
        let found: Vec<_> =
            found.iter().map(|server| (server.name.as_str(), server.takes, server.out)).collect();
        assert_eq!(
            found,
            [
                ("blue-web1", false, false),
                ("blue-web2", false, true),
                ("green-web1", true, false),
                ("green-web2", false, false)
            ]
        );
        assert_eq!(parse(ANSWER, "nobody"), Some(Vec::new()));
    }

    #[test]
    fn nothing_else_is_taken_for_it() {
        for text in [
            "",
            "2\n# be_id\n",
            "HTTP/1.1 400 Bad Request\r\n",
            &ANSWER.replace(" 8 1", " x 1"),
            "1\n# be_id\n",
        ] {
            assert_eq!(parse(text, "shop"), None, "{text}");
        }
    }
}
