//! `leadferry doctor`: checks the store and the settings, and says what to do.

use super::out::Out;
use super::session::{Session, ask};
use crate::engine::messages::{Reply, Request};
use crate::failure::Failure;

/// Carries it out; exits 1 when something is not as it should be.
pub async fn run(session: &Session, out: &mut Out) -> Result<u8, Failure> {
    let findings = ask!(session, Request::Doctor, Reply::Doctor(findings) => findings)?;
    let healthy = findings.iter().all(|finding| finding.ok);
    if out.is_json() {
        out.json(&findings)?;
    } else {
        for finding in &findings {
            out.line(format!("{} {}: {}", if finding.ok { "ok  " } else { "BAD " }, finding.check, finding.detail))?;
            if !finding.ok && !finding.remedy.is_empty() {
                out.line(format!("     {}", finding.remedy))?;
            }
        }
    }
    Ok(if healthy { 0 } else { 1 })
}
