//! Whom we trust: the system's certificate authorities, Mozilla's, and the one of the configuration; TLS 1.2 or newer.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config::Network;
use crate::failure::{Code, Failure};

/// The TLS settings that every client shares. Cheap to clone; loading reads the system's certificates, so load once.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the system's and the configured authorities. A system without any is fine: Mozilla's are built in.
    ///
    /// # Errors
    /// [`Code::Unreadable`] when `[network] extra_ca` cannot be read or holds no certificate.
    pub fn load(network: &Network) -> Result<Tls, Failure> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::warn!(%error, "a certificate store of the system could not be read");
        }
        roots.add_parsable_certificates(system.certs);
        if let Some(path) = &network.extra_ca {
            add_extra_ca(&mut roots, path)?;
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::new(Code::Failed, format!("TLS could not be set up: {error}."), ""))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls(Arc::new(config)))
    }

    /// The rustls settings themselves.
    pub fn config(&self) -> &ClientConfig {
        &self.0
    }
}

fn add_extra_ca(roots: &mut RootCertStore, path: &Path) -> Result<(), Failure> {
    let wrong = |cause: String| {
        Failure::new(
            Code::Unreadable,
            format!("The certificate authority {} {cause}.", path.display()),
            "Correct `extra_ca` under [network]: it names a PEM file with a CA certificate.",
        )
    };
    let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(format!("is not readable PEM: {error}")))?;
        roots.add(certificate).map_err(|error| wrong(format!("is not a certificate to trust: {error}")))?;
        found += 1;
    }
    if found == 0 { Err(wrong("holds no certificate".into())) } else { Ok(()) }
}

/// Makes ring the process's cryptography for TLS servers and for crates that ask for the default. Harmless when repeated.
pub fn install_provider() {
    // An error means that one is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(pem: &[u8]) -> (tempfile::TempDir, Network) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, pem).unwrap();
        (folder, Network { extra_ca: Some(path), ..Network::default() })
    }

    #[test]
    fn a_wrong_extra_ca_is_named_instead_of_ignored() {
        let (_folder, empty) = network(b"no certificate in here");
        let failure = Tls::load(&empty).unwrap_err();
        assert_eq!(failure.code, Code::Unreadable);
        assert!(failure.message.contains("ca.pem") && failure.remedy.contains("extra_ca"), "{failure:?}");
        let missing = Network { extra_ca: Some("/does/not/exist.pem".into()), ..Network::default() };
        assert!(Tls::load(&missing).unwrap_err().message.contains("/does/not/exist.pem"));
    }

    #[test]
    fn an_extra_ca_is_taken() {
        let ca = rcgen::generate_simple_self_signed(vec!["ca.test".into()]).unwrap();
        let (_folder, network) = network(ca.cert.pem().as_bytes());
        assert!(Tls::load(&network).is_ok());
    }
}
