//! Key files: from bytes to the parts of the one certificate in them.
//!
//! Owns the form of a key file, armored or binary. Believes nothing: what comes out is parsed,
//! not verified.

use std::io::Read;

use pgp::armor::{BlockType, Dearmor};
use pgp::composed::{Deserializable, SignedPublicKey};
use pgp::errors::Error;
use pgp::packet::{Packet, PacketParser, PacketTrait};
use pgp::types::Tag;

use super::frame::Frame;
use super::{FileKind, Refusal};

const FRAME: Frame = Frame {
    document: FileKind::KeyFile,
    first: "-----BEGIN PGP PUBLIC KEY BLOCK-----",
    last: "-----END PGP PUBLIC KEY BLOCK-----",
    limit: 64 * 1024,
};

/// Of a keyring with several certificates; Debian's has 55 KiB.
const KEYRING: Frame = Frame {
    limit: 1024 * 1024,
    ..FRAME
};

const SECRET: &[u8] = b"-----BEGIN PGP PRIVATE KEY BLOCK-----";

/// Reads a key file with exactly one certificate and nothing else.
pub(crate) fn read(bytes: &[u8]) -> Result<SignedPublicKey, Refusal> {
    FRAME.check_size(bytes)?;
    let packets = all_packets(bytes)?;
    check_kinds(&packets)?;
    let primaries = packets.iter().filter(|it| it.tag() == Tag::PublicKey);
    if primaries.count() > 1 {
        return Err(Refusal::Several(FileKind::KeyFile));
    }
    let mut certificates = SignedPublicKey::from_packets(packets.into_iter().map(Ok).peekable());
    match (certificates.next(), certificates.next()) {
        (Some(Ok(certificate)), None) => Ok(certificate),
        (Some(Err(error)), _) => Err(malformed(error)),
        _ => Err(malformed("its parts are out of order")),
    }
}

/// Reads every certificate of a keyring.
pub(crate) fn read_keyring(bytes: &[u8]) -> Result<Vec<SignedPublicKey>, Refusal> {
    KEYRING.check_size(bytes)?;
    let mut packets = all_packets(bytes)?;
    // What GnuPG notes for itself.
    packets.retain(|packet| packet.tag() != Tag::Trust);
    check_kinds(&packets)?;
    SignedPublicKey::from_packets(packets.into_iter().map(Ok).peekable())
        .map(|certificate| certificate.map_err(malformed))
        .collect()
}

fn all_packets(bytes: &[u8]) -> Result<Vec<Packet>, Refusal> {
    let binary = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    if binary {
        packets(bytes)
    } else {
        packets(&dearmor(bytes)?)
    }
}

fn dearmor(bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
    if bytes.trim_ascii_start().starts_with(SECRET) {
        return Err(Refusal::SecretKey);
    }
    FRAME.check_lines(bytes)?;
    let mut dearmor = Dearmor::new(bytes);
    let mut content = Vec::new();
    dearmor.read_to_end(&mut content).map_err(malformed)?;
    match dearmor.typ {
        Some(BlockType::PublicKey) => Ok(content),
        _ => Err(Refusal::NotThat(FileKind::KeyFile)),
    }
}

/// All packets. One that cannot be read spoils the file: skipping it could hide anything.
fn packets(content: &[u8]) -> Result<Vec<Packet>, Refusal> {
    PacketParser::new(content)
        .map(|packet| {
            packet.map_err(|error| match error {
                // A slice knows no other I/O error than its end.
                Error::IO { .. } | Error::PacketIncomplete { .. } => {
                    Refusal::Truncated(FileKind::KeyFile)
                }
                error => malformed(error),
            })
        })
        .collect()
}

fn check_kinds(packets: &[Packet]) -> Result<(), Refusal> {
    let tags = || packets.iter().map(PacketTrait::tag);
    if tags().any(|tag| matches!(tag, Tag::SecretKey | Tag::SecretSubkey)) {
        return Err(Refusal::SecretKey);
    }
    if tags().next() != Some(Tag::PublicKey) {
        return Err(Refusal::NotThat(FileKind::KeyFile));
    }
    match tags().find(|tag| !is_part(*tag)) {
        Some(tag) => Err(malformed(format!("a key file has no {tag:?}"))),
        None => Ok(()),
    }
}

fn is_part(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::PublicKey | Tag::PublicSubkey | Tag::UserId | Tag::UserAttribute | Tag::Signature
    )
}

fn malformed(detail: impl std::fmt::Display) -> Refusal {
    Refusal::malformed(FileKind::KeyFile, detail)
}
