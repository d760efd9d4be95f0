//! The smoke image: this program, which is static, in an image made from nothing else.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::host::Host;
use crate::host::engine::docker;

/// The label on everything that a verification makes.
pub const LABEL: &str = "io.github.dockstrap.verify";

/// An image made of this program; it is removed when this goes.
pub struct SelfImage<'a> {
    host: &'a Host,
    pub name: String,
}

impl<'a> SelfImage<'a> {
    /// Makes the image, without a registry and without a network.
    pub fn make(host: &'a Host, token: &str) -> Result<SelfImage<'a>> {
        let image = SelfImage {
            host,
            name: format!("dockstrap-verify:{token}"),
        };
        let import = docker()
            .args(["import", "--change", "ENTRYPOINT [\"/dockstrap\"]"])
            .args(["--change", &format!("LABEL {LABEL}={token}")])
            .args(["-", &image.name])
            .input(layer()?)
            .deadline(Duration::from_secs(120));
        host.query(&import)?
            .success()
            .context("making an image of this program")?;
        Ok(image)
    }
}

impl SelfImage<'_> {
    /// A container that was given up on may still run.
    fn remove_containers(&self) {
        let token = self.name.rsplit(':').next().unwrap_or_default();
        let label = format!("label={LABEL}={token}");
        let list = docker().args(["ps", "--all", "--quiet", "--filter", &label]);
        let listed = self.host.query(&list).map(|output| output.stdout);
        let left: Vec<String> = listed
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect();
        if !left.is_empty() {
            let _ = self
                .host
                .query(&docker().args(["rm", "--force"]).args(left));
        }
    }
}

impl Drop for SelfImage<'_> {
    fn drop(&mut self) {
        self.remove_containers();
        let remove = docker().args(["image", "rm", "--force", &self.name]);
        // The stage has its outcome already; a stray image carries the label.
        let _ = self.host.query(&remove);
    }
}

/// A tar archive with this program as `/dockstrap`.
fn layer() -> Result<Vec<u8>> {
    let program = std::fs::read("/proc/self/exe").context("reading this program's own file")?;
    let mut header = tar::Header::new_gnu();
    header.set_size(program.len() as u64);
    header.set_mode(0o755);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_data(&mut header, "dockstrap", program.as_slice())
        .and_then(|()| archive.into_inner())
        .context("packing this program")
}
