//! User namespaces: the user that root of containers is mapped to, and its ranges of subordinate users
//! and groups.

use anyhow::Result;

use crate::host::Host;
use crate::shell::quoted;

/// The user that dockerd makes for user namespaces where none is named.
const REMAP_DEFAULT: &str = "default";

/// Where they stand, and the option of `usermod(8)` that adds one.
const FILES: [(&str, &str); 2] = [
    ("/etc/subuid", "--add-subuids"),
    ("/etc/subgid", "--add-subgids"),
];

/// Where the account tools begin, and how many they give to each user; see `login.defs(5)`.
const FIRST: u32 = 100_000;
const COUNT: u32 = 65_536;

/// Why containers' root cannot be mapped to this user, and group, of the host.
///
/// Source: `parseRemappedRoot` of dockerd.
pub(super) fn fault(host: &Host, text: &str) -> Result<Option<String>> {
    if matches!(text, "" | REMAP_DEFAULT) {
        return Ok(None);
    }
    let (user, group) = match text.split(':').collect::<Vec<_>>()[..] {
        [user] => (user, None),
        [user, group] => (user, Some(group)),
        _ => {
            return Ok(Some(
                "has more than a user and a group; write USER:GROUP".to_owned(),
            ));
        }
    };
    let Some(entry) = host.entry("passwd", user)? else {
        let cure = "create it, or write \"default\" for one that dockerd makes";
        return Ok(Some(format!("there is no user {user}; {cure}")));
    };
    if let Some(group) = group
        && host.entry("group", group)?.is_none()
    {
        return Ok(Some(format!("there is no group {group}; create it first")));
    }
    let mut fields = entry.split(':');
    let name = fields.next().unwrap_or(user);
    let number = fields.nth(1).unwrap_or_default();
    if name == "root" {
        return Ok(None); // dockerd goes on without
    }
    range_fault(host, name, number)
}

/// Why nothing can be mapped to this user, who also has this number, with a command that changes it.
fn range_fault(host: &Host, name: &str, number: &str) -> Result<Option<String>> {
    let mut all = String::new();
    let (mut lacking, mut options) = (Vec::new(), Vec::new());
    let mut is_for_usermod = is_local(host, name)?;
    for (file, option) in FILES {
        let text = host.read_text(file)?;
        // The tools refuse a range for a file that is not there.
        let is_absent = text.is_none();
        let text = text.unwrap_or_default();
        let mut owners = text.lines().filter_map(|line| line.split(':').next());
        if !owners.any(|owner| owner.trim() == name || owner.trim() == number) {
            lacking.push(file);
            options.push(option);
            is_for_usermod &= !is_absent;
        }
        all = format!("{all}{text}\n");
    }
    if lacking.is_empty() {
        return Ok(None);
    }
    let have = if lacking.len() == 1 { "has" } else { "have" };
    let files = lacking.join(" and ");
    let fault = format!("{files} {have} no range for {name}");
    let Some(first) = free(&all) else {
        return Ok(Some(format!(
            "{fault}, and no {COUNT} numbers behind those of others are free; make room: sudoedit {}",
            lacking.join(" ")
        )));
    };
    let cure = if is_for_usermod {
        let range = format!("{first}-{}", first + (COUNT - 1));
        let options: Vec<String> = options
            .iter()
            .map(|option| format!("{option} {range}"))
            .collect();
        format!("sudo usermod {} {}", options.join(" "), quoted(name))
    } else {
        let line = quoted(format!("{name}:{first}:{COUNT}"));
        format!("echo {line} | sudo tee --append {}", lacking.join(" "))
    };
    Ok(Some(format!("{fault}; add one: {cure}")))
}

/// Whether the account tools can change the user: they know no others than those of this file.
fn is_local(host: &Host, name: &str) -> Result<bool> {
    let text = host.read_text("/etc/passwd")?.unwrap_or_default();
    let mut names = text.lines().filter_map(|line| line.split(':').next());
    Ok(names.any(|known| known == name))
}

/// The first number of a range that overlaps none of these `OWNER:FIRST:COUNT`.
fn free(ranges: &str) -> Option<u32> {
    let ends = ranges.lines().filter_map(|line| {
        let mut fields = line.split(':').skip(1).map(|it| it.trim().parse::<u64>());
        let (first, count) = (fields.next()?.ok()?, fields.next()?.ok()?);
        first.checked_add(count)
    });
    let first = ends.max().unwrap_or_default().max(FIRST.into());
    // The last of all numbers stands for none.
    let is_possible = first + u64::from(COUNT) <= u64::from(u32::MAX);
    u32::try_from(first).ok().filter(|_| is_possible)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::stub::StubHost;

    fn stub() -> StubHost {
        StubHost::new().file("/etc/passwd", "bare:x:1001:1001::/:/bin/sh\n")
    }

    #[track_caller]
    fn cured(stub: &StubHost, name: &str, fault_and_cure: &str) {
        let found = range_fault(stub.host(), name, "1001").unwrap();
        assert_eq!(found.as_deref(), Some(fault_and_cure));
    }

    #[test]
    fn a_range_is_named_that_nobody_has_in_either_file() {
        let stub = stub()
            .file("/etc/subuid", "alice:100000:65536\nbob:231072:65536\n")
            .file("/etc/subgid", "1001:300000:1000\n");
        cured(
            &stub,
            "bare",
            "/etc/subuid has no range for bare; add one: sudo usermod --add-subuids \
             301000-366535 bare",
        );
        let stub = stub.file("/etc/subgid", "");
        cured(
            &stub,
            "bare",
            "/etc/subuid and /etc/subgid have no range for bare; add one: sudo usermod \
             --add-subuids 296608-362143 --add-subgids 296608-362143 bare",
        );
        let own = stub
            .file("/etc/subuid", "bare:100000:65536\n")
            .file("/etc/subgid", "1001:100000:65536\n");
        assert_eq!(range_fault(own.host(), "bare", "1001").unwrap(), None);
    }

    #[test]
    fn where_the_account_tools_refuse_the_line_is_added_by_hand() {
        let by_hand = |name: &str, file: &str| {
            format!("; add one: echo {name}:100000:65536 | sudo tee --append {file}")
        };
        let stub = stub().file("/etc/subuid", "");
        cured(
            &stub,
            "bare",
            &("/etc/subuid and /etc/subgid have no range for bare".to_owned()
                + &by_hand("bare", "/etc/subuid /etc/subgid")),
        );
        let stub = stub.file("/etc/subgid", "ldap:1:1\n");
        cured(
            &stub,
            "ldap",
            &("/etc/subuid has no range for ldap".to_owned() + &by_hand("ldap", "/etc/subuid")),
        );
    }

    #[test]
    fn a_range_ends_where_numbers_do() {
        assert_eq!(free(""), Some(100_000));
        assert_eq!(free("a:1000:500\nnonsense\n:::\n"), Some(100_000));
        assert_eq!(free("a:4294800000:65536"), Some(4_294_865_536));
        assert_eq!(free("a:4294900000:65536"), None);
        assert_eq!(free("a:18446744073709551615:1"), Some(100_000));
    }

    #[test]
    fn a_user_for_namespaces_is_there_and_has_ranges() {
        let stub = StubHost::new()
            .program(
                "getent",
                "case \"$1 $2\" in
                    'passwd mapped'|'passwd 1000') echo mapped:x:1000:1000::/: ;;
                    'passwd bare') echo bare:x:1001:1001::/: ;;
                    'passwd root') echo root:x:0:0::/: ;;
                    'group staff') echo staff:x:50: ;;
                    *) exit 2 ;;
                esac",
            )
            .file(
                "/etc/passwd",
                "mapped:x:1000:1000::/:\nbare:x:1001:1001::/:\n",
            )
            .file("/etc/subuid", "mapped:100000:65536\n")
            .file("/etc/subgid", "1000:100000:65536\n");
        let fault = |text: &str| fault(stub.host(), text).unwrap();
        for right in ["", "default", "mapped", "1000", "mapped:staff", "root"] {
            assert_eq!(fault(right), None, "{right}");
        }
        for (wrong, message) in [
            ("nobodys", "there is no user nobodys"),
            ("100000:100000", "there is no user 100000"),
            ("mapped:nosuch", "there is no group nosuch"),
            (
                "bare",
                "sudo usermod --add-subuids 165536-231071 --add-subgids",
            ),
            ("a:b:c", "write USER:GROUP"),
        ] {
            let found = fault(wrong).unwrap_or_default();
            assert!(found.contains(message), "{wrong}: {found}");
        }
    }
}
