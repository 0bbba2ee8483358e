//! TLS for clients: HTTP/2 for those who can, else HTTP/1.1.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// What takes connections with the certificates of a file, and its key.
///
/// # Errors
/// For people: which file, and why.
pub(super) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let shown = certificate.display();
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|fault| format!("can't read certificates from `{shown}`: {fault}"))?;
    if chain.is_empty() {
        return Err(format!("`{shown}` has no certificate"));
    }
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|fault| format!("can't read a key from `{}`: {fault}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret));
    let mut config =
        config.map_err(|fault| format!("can't use `{shown}` with `{}`: {fault}", key.display()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
