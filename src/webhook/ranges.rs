//! Which addresses are the public internet: the special-purpose blocks of IPv4 and IPv6, each with the words for it.
//!
//! Follows the IANA special-purpose registries (RFC 6890 and its successors). IPv6 is refused unless it lies in 2000::/3.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// First match counts: the narrow block before the wide one.
const SPECIAL_V4: [(Ipv4Net, &str); 19] = [
    (v4(0, 0, 0, 0, 8), "this host (0.0.0.0/8)"),
    (v4(10, 0, 0, 0, 8), "a private network (10.0.0.0/8)"),
    (v4(100, 64, 0, 0, 10), "a carrier's inner network (100.64.0.0/10)"),
    (v4(127, 0, 0, 0, 8), "this machine (127.0.0.0/8)"),
    (v4(169, 254, 169, 254, 32), "a cloud's metadata service"),
    (v4(169, 254, 0, 0, 16), "a link-local address (169.254.0.0/16)"),
    (v4(172, 16, 0, 0, 12), "a private network (172.16.0.0/12)"),
    (v4(192, 0, 0, 0, 24), "a protocol's own block (192.0.0.0/24)"),
    (v4(192, 0, 2, 0, 24), "a block for documentation (192.0.2.0/24)"),
    (v4(192, 31, 196, 0, 24), "a block of the DNS (192.31.196.0/24)"),
    (v4(192, 52, 193, 0, 24), "a multicast relay (192.52.193.0/24)"),
    (v4(192, 88, 99, 0, 24), "a retired IPv6 relay (192.88.99.0/24)"),
    (v4(192, 168, 0, 0, 16), "a private network (192.168.0.0/16)"),
    (v4(192, 175, 48, 0, 24), "a block of the DNS (192.175.48.0/24)"),
    (v4(198, 18, 0, 0, 15), "a test bench (198.18.0.0/15)"),
    (v4(198, 51, 100, 0, 24), "a block for documentation (198.51.100.0/24)"),
    (v4(203, 0, 113, 0, 24), "a block for documentation (203.0.113.0/24)"),
    (v4(224, 0, 0, 0, 4), "multicast (224.0.0.0/4)"),
    (v4(240, 0, 0, 0, 4), "a reserved block (240.0.0.0/4)"),
];

/// What IPv6 keeps for itself, inside 2000::/3 and outside it; outside, the list is only for the words.
const SPECIAL_V6: [(Ipv6Net, &str); 15] = [
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "this machine (::1)"),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "this host (::)"),
    (v6(0x64, 0xff9b, 1, 48), "a network's own NAT64 (64:ff9b:1::/48)"),
    (v6(0x100, 0, 0, 64), "a discard block (100::/64)"),
    (v6(0x2001, 0, 0, 32), "a retired Teredo tunnel (2001::/32)"),
    (v6(0x2001, 0, 0, 23), "a protocol's own block (2001::/23)"),
    (v6(0x2001, 0xdb8, 0, 32), "a block for documentation (2001:db8::/32)"),
    (v6(0x2002, 0, 0, 16), "a retired 6to4 tunnel (2002::/16)"),
    (v6(0x2620, 0x4f, 0x8000, 48), "a block of the DNS (2620:4f:8000::/48)"),
    (v6(0x3fff, 0, 0, 20), "a block for documentation (3fff::/20)"),
    (v6(0x5f00, 0, 0, 16), "segment routing (5f00::/16)"),
    (v6(0xfc00, 0, 0, 7), "a private network (fc00::/7)"),
    (v6(0xfe80, 0, 0, 10), "a link-local address (fe80::/10)"),
    (v6(0xfec0, 0, 0, 10), "a private network (fec0::/10)"),
    (v6(0xff00, 0, 0, 8), "multicast (ff00::/8)"),
];

const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 0, 3);
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

/// The address that is really meant: the IPv4 one inside an IPv4-mapped or NAT64 address, else the same.
pub fn unwrap(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let mapped = six.to_ipv4_mapped();
    let inner = mapped.or_else(|| NAT64.contains(&six).then(|| Ipv4Addr::from_bits(six.to_bits() as u32)));
    inner.map_or(address, IpAddr::V4)
}

/// What a not public address is, in words; `None` for the public internet.
pub fn special(address: IpAddr) -> Option<String> {
    match unwrap(address) {
        IpAddr::V4(four) => name_v4(four).map(str::to_owned),
        IpAddr::V6(six) => special_v6(six),
    }
}

fn name_v4(address: Ipv4Addr) -> Option<&'static str> {
    SPECIAL_V4.iter().find(|(block, _)| block.contains(&address)).map(|(_, name)| *name)
}

fn special_v6(address: Ipv6Addr) -> Option<String> {
    let Some((_, name)) = SPECIAL_V6.iter().find(|(block, _)| block.contains(&address)) else {
        return (!PUBLIC_V6.contains(&address)).then(|| "outside the public block of IPv6 (2000::/3)".to_owned());
    };
    // Both kinds of tunnel are refused; the address inside is named, since it is the one that an attack is about.
    let inner = match address.segments() {
        [0x2002, high, low, ..] => Some(four(high, low)),
        [0x2001, 0, .., high, low] => Some(four(!high, !low)),
        _ => None,
    };
    Some(match inner.and_then(|inner| Some((inner, name_v4(inner)?))) {
        Some((inner, what)) => format!("{name} to {inner}, {what}"),
        None => (*name).to_owned(),
    })
}

fn four(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}
