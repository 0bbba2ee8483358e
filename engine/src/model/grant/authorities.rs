//! Authorities of one's own: those by which the certificate of a server has to be, instead of those that the system trusts.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Certificates of authorities, one at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorities(Vec<CertificateDer<'static>>);

impl Authorities {
    /// Reads certificates in PEM. What stands around them counts for nothing.
    ///
    /// # Errors
    /// In words, where there is none, or one that no trust can be put in.
    pub fn parse(text: &str) -> Result<Self, String> {
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        let own = Self(certificates.map_err(|error| error.to_string())?);
        if own.0.is_empty() {
            return Err("there is none in it".to_owned());
        }
        own.roots().map(|_| own)
    }

    /// What a server's certificate is held against.
    ///
    /// # Errors
    /// In words, where no trust can be put in one of them: never, once they were read.
    pub fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        for certificate in &self.0 {
            roots.add(certificate.clone()).map_err(|error| error.to_string())?;
        }
        Ok(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::grant::fixture::AUTHORITY;

    #[test]
    fn certificates_are_found_in_what_people_paste() {
        let one = Authorities::parse(AUTHORITY).expect("a certificate");
        let with_words = format!("the cluster's own\n{AUTHORITY}\nand no more");
        assert_eq!(Authorities::parse(&with_words), Ok(one.clone()));
        let two = Authorities::parse(&format!("{AUTHORITY}{AUTHORITY}")).expect("certificates");
        assert_eq!((one.0.len(), two.0.len()), (1, 2));
        assert_ne!(one, two);
    }

    #[test]
    fn what_is_none_is_refused_with_why() {
        let refused = |text: &str| Authorities::parse(text).expect_err("no certificate");
        for text in ["", "cluster-ca.pem", "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n"] {
            assert_eq!(refused(text), "there is none in it", "{text}");
        }
        let cut = AUTHORITY.split_once("-----END").expect("an end").0;
        assert_ne!(refused(cut), "there is none in it");
        let other = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
        assert_ne!(refused(other), "there is none in it");
    }
}
