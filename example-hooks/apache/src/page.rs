//! What the balancer-manager writes: XML of its own making, followed by its page.

/// A balancer, as the manager tells of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Balancer {
    /// Without its scheme.
    pub(crate) name: String,
    /// What a change has to repeat; another one after each start of Apache.
    pub(crate) nonce: String,
    pub(crate) members: Vec<Member>,
}

/// A member of a balancer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    /// `http://address:port`, as Apache writes it.
    pub(crate) url: String,
    /// `Init Dis Err`
    pub(crate) status: String,
    /// Its part of the requests, against the factors of the others.
    pub(crate) factor: f64,
    /// Requests under way, websockets included.
    pub(crate) busy: u32,
}

/// What keeps new requests away until somebody takes it back: how the manager calls it, and the letter by which it is changed.
pub(crate) const OFF: [(&str, char); 5] =
    [("Dis", 'D'), ("Stop", 'S'), ("Drn", 'N'), ("Stby", 'H'), ("Spar", 'R')];

impl Member {
    /// Letters of what keeps new requests away.
    pub(crate) fn off(&self) -> Vec<char> {
        let has = |word: &str| self.status.split_whitespace().any(|found| found == word);
        OFF.into_iter().filter(|(word, _)| has(word)).map(|(_, letter)| letter).collect()
    }

    /// Whether it is to have requests.
    pub(crate) fn is_on(&self) -> bool {
        self.off().is_empty()
    }

    /// Whether Apache has given up on it for the time being.
    pub(crate) fn is_in_error(&self) -> bool {
        self.status.split_whitespace().any(|word| matches!(word, "Err" | "HcFl"))
    }
}

/// All balancers of an answer; none when it is something else, or not whole.
pub(crate) fn read(text: &str) -> Option<Vec<Balancer>> {
    let text = element(text, "manager xmlns:httpd='http://httpd.apache.org'", "manager")?;
    elements(text, "balancer").into_iter().map(balancer).collect()
}

fn balancer(text: &str) -> Option<Balancer> {
    let name = simple(text, "name")?;
    Some(Balancer {
        name: name.strip_prefix("balancer://").unwrap_or(name).to_owned(),
        nonce: simple(text, "nonce")?.to_owned(),
        members: elements(text, "worker").into_iter().map(member).collect::<Option<_>>()?,
    })
}

fn member(text: &str) -> Option<Member> {
    Some(Member {
        url: simple(text, "name")?.to_owned(),
        status: simple(text, "status")?.trim().to_owned(),
        factor: simple(text, "loadfactor")?.parse().ok()?,
        busy: simple(text, "busy")?.parse().ok()?,
    })
}

fn simple<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    element(text, name, name)
}

/// What the first element of that name holds.
fn element<'a>(text: &'a str, open: &str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<httpd:{open}>"))?;
    Some(rest.split_once(&format!("</httpd:{name}>"))?.0)
}

fn elements<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<httpd:{name}>"), format!("</httpd:{name}>"));
    text.split(&open).skip(1).map(|part| part.split(&close).next().unwrap_or(part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_a_real_one() {
        let balancers = read(include_str!("../golden/manager.xml")).expect("it is whole");
        let member = |url: &str, status: &str, busy| Member {
            url: url.to_owned(),
            status: status.to_owned(),
            factor: 1.0,
            busy,
        };
        let expected = Balancer {
            name: "cutover-shop".to_owned(),
            nonce: "90b76928-c025-aea7-f23d-e4f69883f8e4".to_owned(),
            members: vec![
                member("http://127.0.0.1:14001", "Init Ok", 0),
                member("http://127.0.0.1:14002", "Init Dis", 0),
                member("http://[fd00::12]:14003", "Init Err", 0),
                member("http://web2.example.com", "Init Dis", 0),
            ],
        };
        assert_eq!(balancers, [expected]);
        let state = |member: &Member| (member.is_on(), member.is_in_error());
        let states: Vec<_> = balancers[0].members.iter().map(state).collect();
        assert_eq!(states, [(true, false), (false, false), (true, true), (false, false)]);
    }

    #[test]
    fn what_is_something_else_or_not_whole_is_nothing() {
        let whole = include_str!("../golden/manager.xml");
        let end = whole.find("</httpd:manager>").expect("an end");
        for text in ["", "<html>", &whole[..end], &whole.replace("<httpd:busy>0", "<httpd:busy>-")] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn each_way_to_be_off_is_one() {
        let member =
            |status: &str| Member { url: String::new(), status: status.to_owned(), factor: 1.0, busy: 0 };
        assert_eq!(member("Init Drn Dis Stop").off(), ['D', 'S', 'N']);
        assert_eq!(member("Init Ign Err").off(), []);
        assert!(!member("Init Stby").is_on() && !member("Init Spar Ok").is_on());
        assert!(member("Init HcFl").is_in_error());
    }
}
