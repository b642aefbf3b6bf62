//! What would go wrong for a user if the callback listener were too trusting, too strict, or stayed.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::test_vendor::{STATE, expected};
use super::*;

struct Waiting {
    redirect: Url,
    port: u16,
    ignored: Arc<Mutex<Vec<String>>>,
    answer: tokio::task::JoinHandle<Result<Authorization, Failure>>,
}

async fn listen(redirect: &str) -> Waiting {
    let listener = Listener::bind(&Url::parse(redirect).unwrap()).await.unwrap();
    let (redirect, port) = (listener.redirect().clone(), listener.port());
    let ignored = Arc::new(Mutex::new(Vec::new()));
    let told = ignored.clone();
    let answer =
        tokio::spawn(async move { listener.answer(&expected(), |reason| told.lock().unwrap().push(reason)).await });
    Waiting { redirect, port, ignored, answer }
}

impl Waiting {
    /// Sends bytes as they are and reads the whole reply.
    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        reply
    }

    async fn get(&self, path: &str) -> String {
        let host = format!("{}:{}", self.redirect.host_str().unwrap(), self.port);
        self.raw(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await
    }

    async fn right(&self) -> String {
        self.get(&format!("/callback?code=C0DE&state={STATE}&location=eu")).await
    }
}

fn status(reply: &str) -> &str {
    reply.get(9..12).unwrap_or(reply)
}

#[tokio::test]
async fn strays_do_not_end_the_wait_and_the_answer_does() {
    let waiting = listen("http://127.0.0.1:0/callback").await;
    let host = format!("127.0.0.1:{}", waiting.port);
    assert_eq!(status(&waiting.get("/favicon.ico").await), "404");
    assert_eq!(status(&waiting.get(&format!("/callback/?code=x&state={STATE}")).await), "404");
    assert_eq!(status(&waiting.get("/callback?code=x&state=guess").await), "400");
    assert_eq!(status(&waiting.get("/callback?code=x").await), "400");
    assert_eq!(status(&waiting.get("/callback").await), "400");
    let line = format!("/callback?code=x&state={STATE} HTTP/1.1");
    assert_eq!(status(&waiting.raw(&format!("POST {line}\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n")).await), "405");
    for foreign in ["evil.test", "localhost", "127.0.0.1", &format!("localhost:{}", waiting.port)] {
        let reply = waiting.raw(&format!("GET {line}\r\nHost: {foreign}\r\n\r\n")).await;
        assert_eq!(status(&reply), "400", "{foreign}");
    }
    assert_eq!(status(&waiting.raw(&format!("GET {line}\r\n\r\n")).await), "400", "no Host at all");

    let reply = waiting.right().await;
    assert_eq!(status(&reply), "200");
    let answer = waiting.answer.await.unwrap().unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(answer.code.expose(), "C0DE");
    assert_eq!(answer.params["location"], "eu");
    let ignored = waiting.ignored.lock().unwrap().join("\n");
    assert!(ignored.contains("another sign-in") && ignored.contains("another host name"), "{ignored}");
    assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, waiting.port)).await.is_ok(), "the port is still taken");
}

#[tokio::test]
async fn the_page_is_calm_and_keeps_the_code_to_itself() {
    let waiting = listen("http://127.0.0.1:0/callback").await;
    let reply = waiting.right().await;
    let (head, page) = reply.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    for header in [
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "content-security-policy: default-src 'none'",
        "connection: close",
        "content-type: text/html",
    ] {
        assert!(head.contains(header), "{header} is missing in {head}");
    }
    assert!(page.contains("You can close this tab and go back to the terminal"), "{page}");
    for bad in ["<script", "http://", "https://", "C0DE", STATE, "{title}", "{message}"] {
        assert!(!page.contains(bad), "{bad} is in the page");
    }
}

#[tokio::test]
async fn a_refusal_ends_the_wait_in_the_vendors_words() {
    let waiting = listen("http://127.0.0.1:0/callback").await;
    let query = format!("error=access_denied&error_description=Your+plan+has+no+API&state={STATE}");
    let reply = waiting.get(&format!("/callback?{query}")).await;
    assert!(reply.contains("refused") && !reply.contains("Your plan"), "{reply}");
    let failure = waiting.answer.await.unwrap().err().unwrap();
    assert_eq!(failure.message, "Testland refused the sign-in: Your plan has no API.");
    assert_eq!(failure.code, Code::SignInNeeded);
}

#[tokio::test]
async fn silent_and_endless_clients_do_not_keep_the_answer_out() {
    let waiting = listen("http://127.0.0.1:0/callback").await;
    let mut idle = Vec::new();
    for _ in 0..MOST_CONNECTIONS - 1 {
        idle.push(TcpStream::connect((Ipv4Addr::LOCALHOST, waiting.port)).await.unwrap());
    }
    let mut endless = idle.pop().unwrap();
    let _ = endless.write_all(&vec![b'x'; 2 * MOST_BYTES]).await;
    assert_eq!(status(&waiting.right().await), "200");
    assert!(waiting.answer.await.unwrap().is_ok());
}

#[tokio::test]
async fn giving_up_frees_the_port_at_once() {
    let listener = Listener::bind(&Url::parse("http://127.0.0.1:0/callback").unwrap()).await.unwrap();
    let port = listener.port();
    let expected = expected();
    let mut answer = Box::pin(listener.answer(&expected, |_| {}));
    assert!(futures_util::poll!(answer.as_mut()).is_pending());
    drop(answer);
    assert!(std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok(), "Esc left the port taken");
}

#[tokio::test]
async fn localhost_listens_on_both_families_where_there_are_two() {
    let waiting = listen("http://localhost:0/callback").await;
    assert_ne!(waiting.port, 0);
    assert_eq!(waiting.redirect.host_str(), Some("localhost"));
    let has_v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok();
    let v6 = TcpStream::connect((Ipv6Addr::LOCALHOST, waiting.port)).await;
    assert_eq!(v6.is_ok(), has_v6);
    assert_eq!(status(&waiting.right().await), "200");
}

#[tokio::test]
async fn a_taken_port_is_named_with_a_way_out() {
    let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = holder.local_addr().unwrap().port();
    let failure =
        Listener::bind(&Url::parse(&format!("http://localhost:{port}/callback")).unwrap()).await.err().unwrap();
    assert!(failure.message.contains(&port.to_string()), "{failure:?}");
    assert!(failure.remedy.contains("Paste"), "{failure:?}");
}

#[tokio::test]
async fn no_address_but_this_machines_is_listened_at() {
    for bad in
        ["https://localhost:0/callback", "http://0.0.0.0:0/callback", "http://192.0.2.1:0/callback", "http://[::]:0/c"]
    {
        assert!(Listener::bind(&Url::parse(bad).unwrap()).await.is_err(), "{bad}");
    }
}
