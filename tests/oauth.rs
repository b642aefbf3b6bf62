//! Signing in against a certified OAuth server that misbehaves on request.

mod peers;

#[test]
fn the_peer_starts_and_ends_with_the_test() {
    for name in ["oauth-server", "crm-sim"] {
        let Some(peer) = peers::start(name, &[]) else { return };
        assert!(std::net::TcpStream::connect(("127.0.0.1", peer.port)).is_ok(), "{peer:?} does not answer");
    }
    let certs = tempfile::tempdir().unwrap();
    let folder = certs.path().to_str().unwrap();
    let Some(peer) = peers::start("webhook-receiver", &[("CERT_DIR", folder)]) else { return };
    assert!(peer.ready["ca"].is_string(), "{peer:?}");
}
