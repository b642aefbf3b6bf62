//! Values that cannot be guessed: codes, tokens, form keys; and the digests under which tokens are kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::failure::{Code, Failure};

/// What a device code's letters are drawn from: no vowels, so that no words come out; no letters that look like digits.
const USER_CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Draws values from one random key of this process: after [`Mint::new`] nothing can fail any more.
pub(super) struct Mint {
    key: [u8; 32],
    drawn: u64,
}

impl Mint {
    /// A mint with a fresh key from the system.
    pub(super) fn new() -> Result<Mint, Failure> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| {
            Failure::new(Code::Failed, format!("The system gave no random numbers: {error}."), "Start the demo again.")
        })?;
        Ok(Mint { key, drawn: 0 })
    }

    fn draw(&mut self) -> [u8; 32] {
        self.drawn += 1;
        Sha256::new()
            .chain_update(self.key)
            .chain_update(self.drawn.to_be_bytes())
            .chain_update(self.key)
            .finalize()
            .into()
    }

    /// A value of 256 bits behind a prefix that says what it is.
    pub(super) fn token(&mut self, prefix: &str) -> String {
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(self.draw()))
    }

    /// A code that a person types: `BCDF-GHJK`.
    pub(super) fn user_code(&mut self) -> String {
        let drawn = self.draw();
        let letters: String =
            drawn.iter().take(8).map(|byte| char::from(USER_CODE_LETTERS[usize::from(*byte) % 20])).collect();
        format!("{}-{}", &letters[..4], &letters[4..])
    }
}

/// The digest under which a token is kept: a copy of the demo's folder holds no token that works.
pub(super) fn digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// A value that is the same at every start of one demo folder.
pub(super) fn derived(key: &[u8], label: &str, prefix: &str) -> String {
    let digest = Sha256::new().chain_update(key).chain_update(label.as_bytes()).finalize();
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(&digest[..24]))
}
