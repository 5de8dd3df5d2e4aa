//! The secure door's certificate, and the configuration that makes kubectl trust it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A key, and a certificate that it has signed itself.
pub struct Identity(CertifiedKey<rcgen::KeyPair>);

impl Identity {
    /// A new one, for this machine's own addresses.
    ///
    /// # Errors
    ///
    /// There is no randomness for a key.
    pub fn new() -> Result<Self, rcgen::Error> {
        let names = ["localhost", "127.0.0.1", "kubernetes.default.svc"];
        generate_simple_self_signed(names.map(str::to_owned)).map(Self)
    }

    /// What speaks TLS with it.
    ///
    /// # Errors
    ///
    /// The key does not fit the certificate.
    pub fn acceptor(&self) -> Result<TlsAcceptor, Box<dyn std::error::Error>> {
        let key = PrivateKeyDer::try_from(self.0.signing_key.serialize_der())?;
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![self.0.cert.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Writes a kubeconfig for the secure door.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_kubeconfig(
    path: &Path,
    identity: &Identity,
    address: SocketAddr,
) -> Result<(), Box<dyn std::error::Error>> {
    use base64::Engine as _;

    let authority = base64::prelude::BASE64_STANDARD.encode(identity.0.cert.pem());
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "podflow",
        "clusters": [{"name": "podflow", "cluster": {
            "server": format!("https://{address}"), "certificate-authority-data": authority,
        }}],
        "contexts": [{"name": "podflow", "context": {"cluster": "podflow", "user": "admin"}}],
        "users": [{"name": "admin", "user": {"token": "admin"}}],
    });
    // JSON is YAML.
    fs::write(path, serde_json::to_string_pretty(&config)?)?;
    Ok(())
}
