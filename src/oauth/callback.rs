//! The loopback listener that a sign-in comes back to (RFC 8252): it takes one answer, thanks the browser, and is gone.
//!
//! Everything runs inside the future of [`Listener::answer`]: dropping it closes the port at once.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::select_all;
use futures_util::stream::FuturesUnordered;
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use url::{Host, Url};

use super::answer::{Authorization, Expected, Verdict};
use crate::failure::{Code, Failure};

/// The page that the browser ends on.
const PAGE: &str = include_str!("../../assets/callback.html");
/// No foreign text is in the page; nothing may be loaded into it either.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Connections at once; browsers open a few to be ready.
const MOST_CONNECTIONS: usize = 32;
/// How long one connection may take in all.
const CONNECTION: Duration = Duration::from_secs(10);
/// How long a client may take to send its request.
const HEADERS: Duration = Duration::from_secs(5);
/// The most bytes of a request: codes of 4 kB exist.
const MOST_BYTES: usize = 32 << 10;
/// How often another free port is tried when the one for IPv4 is taken for IPv6.
const PORTS: u32 = 5;

/// A bound callback address.
pub(super) struct Listener {
    sockets: Vec<TcpListener>,
    redirect: Url,
}

impl Listener {
    /// Binds the address: `localhost` means 127.0.0.1 and, where there is one, `::1`; port 0 takes a free port.
    ///
    /// # Errors
    /// The port is taken, or this is not a plain loopback address. Pasting works all the same.
    pub(super) async fn bind(redirect: &Url) -> Result<Listener, Failure> {
        let hosts: &[IpAddr] = match redirect.host() {
            _ if redirect.scheme() != "http" => &[],
            Some(Host::Domain("localhost")) => &[IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
            Some(Host::Ipv4(ip)) if ip.is_loopback() => &[IpAddr::V4(ip)],
            Some(Host::Ipv6(ip)) if ip.is_loopback() => &[IpAddr::V6(ip)],
            _ => &[],
        };
        if hosts.is_empty() {
            return Err(Failure::new(
                Code::Usage,
                format!("Nothing can listen at {redirect}: it is not a plain http:// address of this machine."),
                "Sign in anywhere and paste the address your browser ended on.",
            ));
        }
        let asked = redirect.port_or_known_default().unwrap_or(0);
        let mut tries = 0;
        let sockets = loop {
            match bind_all(hosts, asked).await {
                Err(error) if asked == 0 && error.kind() == ErrorKind::AddrInUse && tries < PORTS => tries += 1,
                bound => break bound.map_err(|error| taken(asked, &error))?,
            }
        };
        let mut redirect = redirect.clone();
        if asked == 0 {
            let port = sockets[0].local_addr().map_err(|error| taken(asked, &error))?.port();
            // Refused only for addresses that can have no port, and this one has one.
            let _ = redirect.set_port(Some(port));
        }
        Ok(Listener { sockets, redirect })
    }

    /// Where the vendor is to send the browser, with the real port.
    pub(super) fn redirect(&self) -> &Url {
        &self.redirect
    }

    /// The port it listens on.
    pub(super) fn port(&self) -> u16 {
        self.redirect.port_or_known_default().unwrap_or(0)
    }

    /// Serves until the answer is here, then closes the port. What is not the answer is told to `ignored`.
    ///
    /// # Errors
    /// The answer is a refusal.
    pub(super) async fn answer(
        self,
        expected: &Expected,
        mut ignored: impl FnMut(String),
    ) -> Result<Authorization, Failure> {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                    Ok(stream) => connections.push(self.serve(stream, expected)),
                    // No file descriptor left, most likely: let what is open end first.
                    Err(error) => {
                        tracing::warn!(%error, "the callback could not take a connection");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(verdict) = connections.next() => match verdict {
                    Some(Verdict::Granted(authorization)) => return Ok(authorization),
                    Some(Verdict::Refused(failure)) => return Err(failure),
                    Some(Verdict::Ignored(reason)) => ignored(reason),
                    None => {}
                },
            }
        }
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        let (accepted, _, _) = select_all(self.sockets.iter().map(|socket| Box::pin(socket.accept()))).await;
        accepted.map(|(stream, _)| stream)
    }

    /// One connection, one request.
    async fn serve(&self, stream: TcpStream, expected: &Expected) -> Option<Verdict> {
        let slot = Mutex::new(None);
        let service = service_fn(|request: Request<Incoming>| {
            let (page, verdict) = self.reply(&request, expected);
            if let Ok(mut slot) = slot.lock() {
                *slot = verdict;
            }
            std::future::ready(Ok::<_, Infallible>(page))
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(MOST_BYTES)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        // However the connection ends: an answer that was read counts.
        let _ = tokio::time::timeout(CONNECTION, served).await;
        slot.into_inner().ok().flatten()
    }

    fn reply(&self, request: &Request<Incoming>, expected: &Expected) -> (Response<String>, Option<Verdict>) {
        let is_ours = request.headers().get(header::HOST).is_some_and(|host| self.is_our_host(host.as_bytes()));
        if !is_ours {
            let ignored = Verdict::Ignored("A request for another host name reached the callback port.".into());
            return (stray(StatusCode::BAD_REQUEST), Some(ignored));
        }
        if request.uri().path() != self.redirect.path() {
            return (stray(StatusCode::NOT_FOUND), None);
        }
        if request.method() != Method::GET {
            return (stray(StatusCode::METHOD_NOT_ALLOWED), None);
        }
        let verdict = expected.judge(request.uri().query().unwrap_or_default());
        let page = match &verdict {
            Verdict::Granted(_) => page(
                StatusCode::OK,
                "Sign-in received",
                "You can close this tab and go back to the terminal. It goes on there.",
            ),
            Verdict::Refused(_) => page(
                StatusCode::OK,
                "Sign-in refused",
                "You can close this tab and go back to the terminal. It says why, and what to do.",
            ),
            Verdict::Ignored(_) => stray(StatusCode::BAD_REQUEST),
        };
        (page, Some(verdict))
    }

    /// The Host header must name the very address that was registered, so that no other name can be led here.
    fn is_our_host(&self, sent: &[u8]) -> bool {
        let host = self.redirect.host_str().unwrap_or_default();
        let full = format!("{host}:{}", self.port());
        sent.eq_ignore_ascii_case(full.as_bytes()) || (self.port() == 80 && sent.eq_ignore_ascii_case(host.as_bytes()))
    }
}

async fn bind_all(hosts: &[IpAddr], asked: u16) -> io::Result<Vec<TcpListener>> {
    let mut sockets: Vec<TcpListener> = Vec::new();
    let mut port = asked;
    for host in hosts {
        match TcpListener::bind(SocketAddr::new(*host, port)).await {
            Ok(socket) => {
                port = socket.local_addr()?.port();
                sockets.push(socket);
            }
            // A machine without IPv6 is fine; a port that somebody else holds is not, or the answer could go to them.
            Err(error) if error.kind() != ErrorKind::AddrInUse && !sockets.is_empty() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(sockets)
}

fn taken(port: u16, error: &io::Error) -> Failure {
    let cause = match error.kind() {
        ErrorKind::AddrInUse => {
            format!("Port {port} is taken by another program, so the sign-in cannot come back by itself.")
        }
        _ => format!("Port {port} cannot be listened on, so the sign-in cannot come back by itself: {error}."),
    };
    Failure::new(Code::Failed, cause, "Paste the address your browser ended on, or free the port and sign in again.")
}

fn stray(status: StatusCode) -> Response<String> {
    page(status, "Not the expected answer", "The sign-in in the terminal still waits. Go on with the page it opened.")
}

/// A page of our own words only.
fn page(status: StatusCode, title: &str, message: &str) -> Response<String> {
    let mut response = Response::new(PAGE.replace("{title}", title).replace("{message}", message));
    *response.status_mut() = status;
    let fixed = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The address holds the code: no other site gets to see it.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONNECTION, "close"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
#[path = "callback_tests.rs"]
mod tests;
