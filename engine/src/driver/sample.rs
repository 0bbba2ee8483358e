//! A deployment for tests of drivers and of what is around them.

use cutover_host::operation::Facts;

use crate::model::{Deployment, Driver, HostName, Name};

/// `shop/production` on `web1` and `web2` behind `lb1`, with the given driver.
pub(crate) fn deployment(driver: Driver) -> Deployment {
    let mut deployment = Deployment::for_tests(&[name("web1"), name("web2")], &[name("lb1")]);
    deployment.environment = Some(Name::new("production").expect("a name"));
    deployment.application.driver = driver;
    deployment.application.start = ["bin/shop", "--port", "{port}"].map(str::to_owned).to_vec();
    deployment.application.env_files = vec!["shared/.env".to_owned()];
    deployment
}

pub(crate) fn name(text: &str) -> HostName {
    HostName::new(text).expect("a name")
}

/// What a host says of which `user` is the login.
pub(crate) fn facts(user: &str, uid: u32) -> Facts {
    let home = if uid == 0 { "/root".to_owned() } else { format!("/home/{user}") };
    Facts { user: user.to_owned(), uid, home, systemd: true, ..Facts::default() }
}
