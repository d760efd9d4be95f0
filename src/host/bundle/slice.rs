//! A part of a file on disk.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A part of a file on disk, read from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Slice {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Slice {
    /// The `size` bytes of `file` that begin at `at`, without the first `from` of them.
    pub(super) fn new(file: &Arc<File>, at: u64, size: u64, from: u64) -> Slice {
        let from = from.min(size);
        Slice {
            file: Arc::clone(file),
            at: at + from,
            left: size - from,
        }
    }

    /// How many bytes are still to come.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }
}

impl Read for Slice {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(chunk.len(), |left| left.min(chunk.len()));
        // Not by seeking: several threads read from one file.
        let read = self.file.read_at(&mut chunk[..most], self.at)?;
        if read == 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}
