//! `packaging/manual/doctor.md`, made from the table of checks.

use dockstrap::reference::AREAS;

const HEAD: &str = "\
# What dockstrap doctor looks at

`dockstrap doctor` looks for what keeps Docker from working, or is likely to surprise, before it is
installed and after. It changes nothing. Without root it looks as far as it may, and says what it
could not see. It exits with 3 when it finds an error, else with 0. `--json` prints all of it for
programs; the ids are stable.

`--fix`, as root, mends what is marked so below. What it does is written to the journal, and
`uninstall` takes it back.
";

/// The page, in Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for (area, checks) in AREAS {
        page += &format!("\n## {}{}\n", area[..1].to_uppercase(), &area[1..]);
        for check in *checks {
            let fix = if check.is_mended() {
                ", fixed by `--fix`"
            } else {
                ""
            };
            page += &format!(
                "\n### {}: {}\n\n{}{fix}. Otherwise: {}\n\n- Fix: {}\n- More: <{}>\n",
                check.id, check.title, check.severity, check.danger, check.cure, check.link
            );
        }
    }
    page
}
