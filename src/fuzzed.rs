//! What the fuzz targets give any bytes to.

pub use crate::daemon_config::{Context, DesiredConfig, Document, Preset, check, revert};
pub use crate::host::bundle::Bundle;
pub use crate::trust::{
    Certificate, ExpectedFile, Fingerprint, PackageIndex, Sha256, SignedRelease, verify_file,
};
