//! Every way we know to write an address that a webhook must not reach, and some that it must.

use super::*;

fn guard(allow: &[&str], answers: &'static [&'static str]) -> Guard {
    let allow: Vec<String> = allow.iter().map(|entry| (*entry).to_owned()).collect();
    let lookup: Lookup =
        Arc::new(move |_| Box::pin(async move { Ok(answers.iter().map(|text| text.parse().unwrap()).collect()) }));
    Guard::with_lookup(&allow, lookup).unwrap()
}

const REFUSED: &[&str] = &[
    // this machine, in the spellings that browsers and C libraries take
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://127.255.255.254/",
    "https://%31%32%37.0.0.1/",
    "https://127\u{3002}0\u{3002}0\u{3002}1/",
    "https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
    "https://①②⑦.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[::]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::127.0.0.1]/",
    // names for it
    "https://localhost/",
    "https://LOCALHOST:8443/x",
    "https://localhost./",
    "https://a.localhost/",
    "https://intranet/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://router.home.arpa/",
    "https://home.arpa/",
    // private and special IPv4
    "https://10.0.0.5/",
    "https://10.255.255.255/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://0xc0a80101/",
    "https://3232235777/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0xA9FEA9FE/",
    "https://169.254.1.1/",
    "https://100.64.0.1/",
    "https://192.0.0.8/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.19.255.255/",
    "https://198.51.100.7/",
    "https://203.0.113.9/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    // IPv6 around IPv4
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::10.0.0.1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::1]/",
    "https://[2002:808:808::1]/",
    "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
    // IPv6 special
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[100::1]/",
    "https://[2001:db8::1]/",
    "https://[2001:10::1]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[4000::1]/",
];

const ACCEPTED: &[&str] = &[
    "https://93.184.216.34/",
    "https://8.8.8.8/",
    "https://134744072/",
    "https://172.15.255.255/",
    "https://172.32.0.1/",
    "https://100.128.0.1/",
    "https://192.0.1.1/",
    "https://[2606:2800:220:1::1]/",
    "https://[2a00:1450:4001::1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[64:ff9b::8.8.8.8]/",
    "https://hooks.example.com/",
    "https://localhost.example.com/",
    "https://mylocal.example/",
    "https://notinternal.example./",
];

#[test]
fn no_spelling_of_a_private_address_is_let_through() {
    let guard = guard(&[], &[]);
    for text in REFUSED {
        let url = Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let refusal = guard.check_url(&url).expect_err(text);
        assert!(refusal.to_string().ends_with("public internet."), "{refusal}");
    }
}

#[test]
fn public_addresses_are_not_in_the_way() {
    let guard = guard(&[], &[]);
    for text in ACCEPTED {
        let url = Url::parse(text).unwrap();
        assert_eq!(guard.check_url(&url), Ok(()), "{text}");
    }
}

#[test]
fn what_is_allowed_is_reached_in_every_spelling_and_nothing_beside_it() {
    let guard = guard(&["127.0.0.0/8", "fd00:ec2::254"], &[]);
    let check = |text: &str| guard.check_url(&Url::parse(text).unwrap()).is_ok();
    assert!(check("https://127.0.0.1/") && check("https://[::ffff:127.0.0.1]/") && check("https://[fd00:ec2::254]/"));
    assert!(!check("https://10.0.0.1/") && !check("https://[::1]/") && !check("https://[fd00:ec2::253]/"));
}

#[tokio::test]
async fn one_private_address_refuses_the_whole_name() {
    for answers in [&["93.184.216.34", "127.0.0.1"][..], &["127.0.0.1", "93.184.216.34"], &["93.184.216.34", "::1"]] {
        let answer = guard(&[], answers).resolve("mixed.example.com").await;
        assert!(matches!(answer, Err(Unreachable::Refused(_))), "{answer:?}");
    }
    let public = guard(&[], &["93.184.216.34", "2606:2800:220:1::1"]).resolve("hooks.example.com").await.unwrap();
    assert_eq!(public.len(), 2);
}

#[tokio::test]
async fn a_local_name_is_reached_only_where_all_of_it_is_allowed() {
    let here = guard(&["127.0.0.0/8"], &["127.0.0.1"]).resolve("localhost").await.unwrap();
    assert_eq!(here, ["127.0.0.1".parse::<IpAddr>().unwrap()]);
    assert!(guard(&["127.0.0.0/8"], &["127.0.0.1", "::1"]).resolve("localhost").await.is_err());
    // A public answer does not make a local name right: somebody's search domain made it up.
    assert!(guard(&["127.0.0.0/8"], &["93.184.216.34"]).resolve("intranet").await.is_err());
}

#[tokio::test]
async fn the_words_name_the_address_the_rule_and_the_way_out() {
    let error = guard(&[], &["169.254.169.254"]).resolve("rebind.example.com").await.unwrap_err();
    let Unreachable::Refused(refusal) = error else { panic!("{error}") };
    let failure = refusal.failure();
    assert_eq!(
        failure.message,
        "rebind.example.com leads to 169.254.169.254, a cloud's metadata service, and webhooks reach only the public internet."
    );
    assert!(failure.remedy.contains("allow = [\"169.254.169.254/32\"]"), "{}", failure.remedy);
    let tunnel = ranges::special("2002:7f00:1::1".parse().unwrap()).unwrap();
    assert!(tunnel.contains("127.0.0.1"), "{tunnel}");
    let teredo = ranges::special("2001:0:4136:e378:8000:63bf:80ff:fffe".parse().unwrap()).unwrap();
    assert!(teredo.contains("127.0.0.1"), "{teredo}");
}

#[test]
fn a_bad_allow_entry_is_named() {
    let failure = Guard::new(&["127.0.0.0/40".into()]).err().unwrap();
    assert!(failure.message.contains("'127.0.0.0/40'"), "{}", failure.message);
}
