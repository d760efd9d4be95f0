//! What runs inside the containers of a verification: it says what it sees.

use serde::{Deserialize, Serialize};

/// A container's sign of life.
#[derive(Debug, Serialize, Deserialize)]
pub struct Hello {
    /// What it was told to say.
    pub token: String,
    /// Its process number; 1 in a container.
    pub pid: u32,
}

/// Says hello.
pub fn hello(token: &str) -> Hello {
    Hello {
        token: token.to_owned(),
        pid: std::process::id(),
    }
}
