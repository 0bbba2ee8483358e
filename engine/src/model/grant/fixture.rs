//! Grants, and a fleet to ask in, for tests.

use super::{ExecGrant, HostGroup, Mode, Scope};
use crate::model::{Color, HostName, Instance};

impl ExecGrant {
    /// A program with these arguments, and nothing that may come with it.
    pub(crate) fn for_tests(hosts: HostGroup, program: &str, args: &[&str]) -> Self {
        Self {
            hosts,
            program: program.to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: Vec::new(),
            directory: Vec::new(),
            input: false,
            as_root: false,
            read_only: false,
            interpreter: false,
        }
    }
}

/// Certificate of an authority, whose key nobody has.
pub(crate) const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBmjCCAT+gAwIBAgIUEpRoU+PdVjhejxGxdlHVH/jEjMUwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWYXV0aG9yaXR5IG9mIHRoZSB0ZXN0czAgFw0yNjExMjMwNDM2
MDlaGA8yMTI2MTAzMDA0MzYwOVowITEfMB0GA1UEAwwWYXV0aG9yaXR5IG9mIHRo
ZSB0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABA46YsntEGfGFgmh3sks
WZ1+VTfRAH4slBaBEMmbySnKsoTrCfcnpRXyBqyY7Wf4nckWYhEosFaFi7UwY39M
57ajUzBRMB0GA1UdDgQWBBTz5lNR+6sgR7NfKm+FoBr/pfjmhjAfBgNVHSMEGDAW
gBTz5lNR+6sgR7NfKm+FoBr/pfjmhjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
BAMCA0kAMEYCIQDXhko5VA8hDcPyUmcBcigjFOOqXC2+7Ty7NhwJGJa4RwIhALZQ
Gaj04ECV3J6yXAdx8b3dgP6E/bviDH9i/ivpsnYF
-----END CERTIFICATE-----
";

/// Application hosts, the router `lb1`, the builder `desk`, and green instances at port 4002.
pub(super) struct Fleet {
    app: Vec<HostName>,
    routers: [HostName; 1],
    builder: HostName,
    instances: Vec<Instance>,
}

impl Fleet {
    /// `instances` are host, address to listen on and address to others.
    pub(super) fn new(app: &[&str], instances: &[(&str, &str, &str)]) -> Self {
        let name = |text: &str| HostName::new(text).expect("a name");
        let instance = |(host, listen, address): &(&str, &str, &str)| Instance {
            host: name(host),
            color: Color::Green,
            listen: (*listen).to_owned(),
            address: (*address).to_owned(),
            port: 4002,
            labels: Vec::new(),
        };
        Self {
            app: app.iter().map(|host| name(host)).collect(),
            routers: [name("lb1")],
            builder: name("desk"),
            instances: instances.iter().map(instance).collect(),
        }
    }

    /// What is asked in it.
    pub(super) fn scope<'a>(&'a self, mode: Mode, places: &'a [(&'a str, &'a str)]) -> Scope<'a> {
        Scope {
            mode,
            app: &self.app,
            routers: &self.routers,
            builder: &self.builder,
            instances: &self.instances,
            places,
            bare_programs: false,
        }
    }
}
