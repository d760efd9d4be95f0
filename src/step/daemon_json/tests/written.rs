//! How the file is written: a value that comes back is written as it was, in the encoding that the
//! file has.

use super::*;

#[test]
fn a_value_that_was_replaced_comes_back_in_the_same_bytes() {
    let theirs = "{ \"dns\": [ \"192.0.2.1\",\"192.0.2.2\" ],\n\t\"log-opts\":{ },\n\
                  \"log-driver\" : \"local\",\"mtu\":1400 }";
    let stub = host().file(PATH, theirs);
    let settings = json!({"dns": ["192.0.2.9"], "mtu": 1300});
    trial::complete(stub.host(), |tx| wanting(settings).apply(tx)).unwrap();
    let ours = stub.read(PATH);
    assert!(
        ours.contains("192.0.2.9") && ours.contains("max-size"),
        "{ours}"
    );
    // A later run that changes one of them again leads back to the same.
    let (ours, settled) = changes_of_earlier_runs(stub.host()).unwrap();
    let again = DaemonJson {
        ours,
        settled,
        ..wanting(json!({"dns": ["192.0.2.8"], "mtu": 1300}))
    };
    trial::complete(stub.host(), |tx| again.apply(tx)).unwrap();
    assert!(stub.read(PATH).contains("192.0.2.8"));
    assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
    assert_eq!(stub.read(PATH), theirs);
}

#[test]
fn a_password_is_not_written_down_to_come_back_in_its_bytes() {
    let theirs = "{ \"proxies\": { \"http-proxy\":\"http://me:s3cret@192.0.2.1:3128\" } }";
    let stub = host().file(PATH, theirs);
    let settings = json!({"proxies": {"http-proxy": "http://me:s3cret@192.0.2.1:3128",
        "no-proxy": "lab"}});
    trial::complete(stub.host(), |tx| wanting(settings).apply(tx)).unwrap();
    assert!(!stub.read(crate::undo::JOURNAL).contains("s3cret"));
    assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
    let back: Value = serde_json::from_str(&stub.read(PATH)).unwrap();
    assert_eq!(back, serde_json::from_str::<Value>(theirs).unwrap());
}

#[test]
fn a_file_with_a_byte_order_mark_keeps_its_encoding() {
    let utf16 = |text: &str| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xFF, 0xFE].into_iter().chain(units).collect::<Vec<u8>>()
    };
    let stub = host().file(PATH, utf16("{\"debug\": true}\r\n"));
    let path = stub.host().path(PATH);
    let before = std::fs::read(&path).unwrap();
    apply(&stub);
    let written = std::fs::read(&path).unwrap();
    let document = Document::parse(&written).unwrap();
    assert!(document.get("live-restore").is_some());
    assert!(written.starts_with(&[0xFF, 0xFE]));
    assert!(inspect(&stub).satisfied);
    assert_eq!(trial::revert(stub.host()).unwrap(), [""; 0]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
