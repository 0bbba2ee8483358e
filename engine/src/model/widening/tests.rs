//! Each field by itself: what widens is named, what narrows or is written in another way is not.

use super::*;
use crate::model::Name;

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn posture() -> Posture {
    let mut deployment = Deployment::for_tests(&[name("web1"), name("web2")], &[name("lb1")]);
    deployment.hosts.insert(
        name("spare"),
        crate::model::Host { name: name("spare"), reach: crate::model::Reach::Local, address: "::1".into() },
    );
    Posture { environments: vec![deployment], ..Posture::default() }
}

#[test]
fn the_same_is_no_wider() {
    assert_eq!(widened(&posture(), &posture()), []);
}
