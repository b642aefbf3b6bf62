use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConnection};

use super::*;
use crate::config::Network;
use crate::net::Tls;

/// Whether a client that trusts this authority accepts a server of this name, signed by it. In memory, no network.
fn accepted(authority: &Authority, folder: &Path, name: &'static str) -> bool {
    let network = Network { extra_ca: Some(folder.join("ca.pem")), ..Network::default() };
    let client = Arc::new(Tls::load(&network).expect("settings").config().clone());
    let server = authority.server_config_for(&[name], Timestamp::now()).expect("a certificate");
    let mut client = ClientConnection::new(client, ServerName::try_from(name).expect("a name")).expect("a client");
    let mut server = ServerConnection::new(server).expect("a server");
    for _ in 0..4 {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).expect("memory");
        server.read_tls(&mut wire.as_slice()).expect("memory");
        if server.process_new_packets().is_err() {
            return false;
        }
        let mut wire = Vec::new();
        server.write_tls(&mut wire).expect("memory");
        client.read_tls(&mut wire.as_slice()).expect("memory");
        if client.process_new_packets().is_err() {
            return false;
        }
    }
    !client.is_handshaking()
}

/// Whoever copied the demo's key could pass for any site towards a program that trusts it.
#[test]
fn the_authority_vouches_for_loopback_names_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::open(folder.path()).expect("made");
    for name in ["localhost", "127.0.0.1", "127.9.9.9", "::1"] {
        assert!(accepted(&authority, folder.path(), name), "{name}");
    }
    for name in ["example.com", "192.0.2.1", "2001:db8::1"] {
        assert!(!accepted(&authority, folder.path(), name), "{name}");
    }
}

/// A half-written key would keep the demo from starting for ever.
#[test]
fn a_damaged_key_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    Authority::open(folder.path()).expect("made");
    std::fs::write(folder.path().join("ca-key.pem"), "-----BEGIN").expect("damaged");
    let authority = Authority::open(folder.path()).expect("made anew");
    assert!(accepted(&authority, folder.path(), "127.0.0.1"));
}
