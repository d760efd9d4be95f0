//! The reference page, made of the table: `packaging/manual/doctor.md`.

use super::AREAS;

const HEAD: &str = "\
# What dockstrap doctor looks at

`dockstrap doctor` looks for what keeps Docker from working, or is likely to surprise, before it is
installed and after. It changes nothing. Without root it looks as far as it may, and says what it
could not see. It exits with 3 when it finds an error, else with 0. `--json` prints all of it for
programs; the ids are stable.

`--fix`, as root, mends what is marked so below. What it does is written to the journal, and
`uninstall` takes it back.
";

/// The page as Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for (area, checks) in AREAS {
        page += &format!("\n## {}{}\n", area[..1].to_uppercase(), &area[1..]);
        for check in *checks {
            let fix = if check.is_mended() {
                ", mended by `--fix`"
            } else {
                ""
            };
            page += &format!(
                "\n### {}: {}\n\n{}{fix}. Otherwise: {}\n\n- What helps: {}\n- More: <{}>\n",
                check.id, check.title, check.severity, check.danger, check.cure, check.link
            );
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/manual/doctor.md");

    #[test]
    fn the_reference_page_is_up_to_date() {
        if std::env::var_os("DOCKSTRAP_WRITE").is_some() {
            std::fs::write(PATH, page()).unwrap();
        }
        let written = std::fs::read_to_string(PATH).unwrap_or_default();
        assert!(
            written == page(),
            "write it anew: DOCKSTRAP_WRITE=1 cargo test --lib reference_page"
        );
    }
}
