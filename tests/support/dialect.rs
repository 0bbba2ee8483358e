//! What object stores speak, as far as a server for it can be had.

use std::process::Command;

use crate::Port;
use crate::node::node_with;
use crate::python::python_with;

/// What a store speaks. A server that speaks as Google Cloud Storage does, and keeps conditions, is in no registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// That of Amazon S3: moto.
    S3,
    /// That of Azure Blob Storage: Azurite.
    Azure,
}

/// Who may do everything in the store, by whichever proof.
const ACCOUNT: &str = "deployer";

/// `of no worth`, in Base64 as Azure's keys are.
const AZURE_KEY: &str = "b2Ygbm8gd29ydGg=";

/// Leave for everything on Azurite, signed with that key: unlike the key itself, it signs no header of a request.
const AZURE_LEAVE: &str = "sv=2021-12-02&ss=b&srt=sco&sp=rwdlac&se=2099-12-31T00%3A00%3A00Z&\
                           sig=P5s7G7%2B%2FSb2472iPp9qskroxoMu%2BVpvGmdzrCdZ8T94%3D";

impl Dialect {
    /// What URLs of such stores begin with, before `://`.
    pub(crate) const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "az",
        }
    }

    /// A server that listens on this port of the loopback. None, with a word why, where it is not installed.
    pub(crate) fn server(self, port: &Port) -> Option<Command> {
        let port = port.to_string();
        match self {
            Self::S3 => {
                let mut moto = python_with("moto")?;
                moto.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port]);
                Some(moto)
            }
            Self::Azure => {
                let mut azurite = node_with("azurite", "dist/src/blob/main.js")?;
                azurite.args(["--blobHost", "127.0.0.1", "--blobPort", &port]);
                azurite.args(["--inMemoryPersistence", "--disableTelemetry"]);
                azurite.env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{AZURE_KEY}"));
                Some(azurite)
            }
        }
    }

    /// What `PUT` makes a bucket of.
    pub(crate) fn bucket(self, name: &str) -> String {
        match self {
            Self::S3 => format!("/{name}"),
            Self::Azure => format!("/{ACCOUNT}/{name}?restype=container&{AZURE_LEAVE}"),
        }
    }

    /// What the environment says of a store on this port. With `leave`, what proves who asks does not depend on the request's headers,
    /// where the dialect has such a proof.
    pub(crate) fn variables(self, port: u16, leave: bool) -> Vec<(String, String)> {
        let endpoint = format!("http://127.0.0.1:{port}");
        let account = format!("{endpoint}/{ACCOUNT}");
        let known = match self {
            Self::S3 => vec![
                ("AWS_ENDPOINT_URL", endpoint.as_str()),
                ("AWS_ALLOW_HTTP", "true"),
                ("AWS_REGION", "eu-central-1"),
                ("AWS_ACCESS_KEY_ID", ACCOUNT),
                ("AWS_SECRET_ACCESS_KEY", "of no worth"),
            ],
            Self::Azure => vec![
                ("AZURE_STORAGE_ENDPOINT", account.as_str()),
                ("AZURE_ALLOW_HTTP", "true"),
                ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
                if leave {
                    ("AZURE_STORAGE_SAS_TOKEN", AZURE_LEAVE)
                } else {
                    ("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY)
                },
            ],
        };
        known.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}
