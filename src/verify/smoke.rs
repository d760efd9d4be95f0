//! The smoke image: this program, which is static, in an image made from nothing else.

use std::time::Duration;

use anyhow::{Context, Result};

use super::objects::LABEL;
use super::verifier::Verifier;

/// Makes the image, without a registry and without a network, and returns its name.
pub fn make(verifier: &Verifier<'_>) -> Result<String> {
    let program = std::fs::read("/proc/self/exe").context("reading this program's own file")?;
    let name = format!("dockstrap-verify:{}", verifier.token);
    import(verifier, &name, archive("dockstrap", &program)?)
        .context("making an image of this program")?;
    Ok(name)
}

/// Makes an image of an archive.
pub fn import(verifier: &Verifier<'_>, name: &str, archive: Vec<u8>) -> Result<()> {
    let label = format!("LABEL {LABEL}={}", verifier.token);
    let import = verifier
        .docker()
        .args(["import", "--change", "ENTRYPOINT [\"/dockstrap\"]"])
        .args(["--change", &label, "-", name])
        .input(archive)
        .deadline(Duration::from_secs(120));
    verifier.ask(&import)?;
    Ok(())
}

/// A tar archive with one program.
pub fn archive(name: &str, content: &[u8]) -> Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_data(&mut header, name, content)
        .and_then(|()| archive.into_inner())
        .with_context(|| format!("packing {name}"))
}
