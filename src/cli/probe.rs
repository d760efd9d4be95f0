//! What `verify` asks of dockstrap inside its containers.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Probe {
    /// Say hello with an echo, and end with a code
    Hello {
        echo: String,
        #[arg(long, default_value_t = 0)]
        exit: u8,
    },
    /// Read a file, and write it
    File {
        path: PathBuf,
        #[arg(long)]
        write: Option<String>,
    },
    /// Say many lines
    Lines { count: u32 },
    /// Reach for a server, a name, an address
    Reach {
        #[arg(long)]
        server: Option<String>,
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        address: Option<SocketAddr>,
    },
    /// Answer everyone over HTTP
    Serve { port: u16, text: String },
    /// Do nothing until asked to end
    Sleep,
}
