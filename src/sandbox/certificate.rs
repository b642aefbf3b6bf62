//! The practice certificate authority and the certificate of the practice webhook receiver.
//!
//! Only the authority is kept; the receiver's certificate is made anew at every start and never touches the disk.

use std::path::Path;
use std::sync::Arc;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::files;
use crate::failure::{Code, Failure};

/// The authority as it lies in the demo's folder.
pub(super) struct Authority {
    /// Its key, at `ca-key.pem`; the certificate beside it is for those who trust it.
    key: KeyPair,
}

impl Authority {
    /// Reads the authority of this folder, or makes one there when there is none or it cannot be read.
    pub(super) fn open(folder: &Path) -> Result<Authority, Failure> {
        let (cert_path, key_path) = (folder.join("ca.pem"), folder.join("ca-key.pem"));
        if cert_path.exists()
            && let Ok(key) = std::fs::read_to_string(&key_path)
            && let Ok(key) = KeyPair::from_pem(&key)
        {
            return Ok(Authority { key });
        }
        let key = KeyPair::generate().map_err(|error| failure("made", &error))?;
        let pem = authority_params().self_signed(&key).map_err(|error| failure("made", &error))?.pem();
        files::write_private(&key_path, key.serialize_pem().as_bytes())?;
        files::write_private(&cert_path, pem.as_bytes())?;
        Ok(Authority { key })
    }

    /// The authority's private key, from which the practice token is derived.
    pub(super) fn key_bytes(&self) -> &[u8] {
        self.key.serialized_der()
    }

    /// A TLS set-up for `127.0.0.1`, `::1` and `localhost`, signed by this authority, good for a year.
    pub(super) fn server_config(&self, now: Timestamp) -> Result<Arc<rustls::ServerConfig>, Failure> {
        self.server_config_for(&["localhost", "127.0.0.1", "::1"], now)
    }

    fn server_config_for(&self, names: &[&str], now: Timestamp) -> Result<Arc<rustls::ServerConfig>, Failure> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(|error| failure("signed", &error))?;
        params.distinguished_name.push(DnType::CommonName, "leadferry practice webhook receiver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let today = now.to_zoned(TimeZone::UTC).date();
        let (from, until) = (today.saturating_sub(2.days()), today.saturating_add(365.days()));
        params.not_before = date_time_ymd(from.year().into(), from.month().unsigned_abs(), from.day().unsigned_abs());
        params.not_after = date_time_ymd(until.year().into(), until.month().unsigned_abs(), until.day().unsigned_abs());

        let key = KeyPair::generate().map_err(|error| failure("signed", &error))?;
        let issuer = Issuer::new(authority_params(), &self.key);
        let leaf = params.signed_by(&key, &issuer).map_err(|error| failure("signed", &error))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key))
                .map_err(|error| failure("used", &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// The same at every start, so that what was signed yesterday and today has one issuer. Whoever trusts it trusts it for this
/// machine's loopback names only.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "leadferry practice authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".into()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    params
}

fn failure(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        Code::Failed,
        format!("The practice certificate could not be {what}: {error}."),
        "Remove ca.pem and ca-key.pem in the demo's folder 'sandbox' and start the demo again.",
    )
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
