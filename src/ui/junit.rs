//! A verification as JUnit's XML, which build servers show.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::text::visible;
use crate::output_file::OutputFile;
use crate::redact::redact;
use crate::report::{Outcome, StageReport};
use crate::verify::Verification;

/// The file for a verification's XML. What is there stays as it is until all of the new is written.
pub(crate) struct JunitFile {
    path: PathBuf,
    file: OutputFile,
}

impl JunitFile {
    /// # Errors
    /// When nothing can be written there, which is tried without leaving a trace.
    pub(crate) fn at(path: &Path) -> std::io::Result<JunitFile> {
        Ok(JunitFile {
            path: path.to_owned(),
            file: OutputFile::at(path)?,
        })
    }

    /// # Errors
    /// When it cannot be written, by then.
    pub(crate) fn write(&self, verification: &Verification) -> Result<()> {
        self.file
            .write(|out| junit(verification, out))
            .with_context(|| format!("writing JUnit's XML to {}", self.path.display()))
    }
}

/// Writes the verification: a suite with a case for each stage.
fn junit(verification: &Verification, file: impl Write) -> Result<()> {
    let skipped = |report: &&StageReport| !report.passed() && !verification.has_failed(report);
    let skipped = verification.stages.iter().filter(skipped).count();
    let mut writer = Writer::new_with_indent(file, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element("testsuite")
        .with_attribute(("name", "dockstrap verify"))
        .with_attribute(("tests", verification.stages.len().to_string().as_str()))
        .with_attribute(("failures", verification.failed().len().to_string().as_str()))
        .with_attribute(("skipped", skipped.to_string().as_str()))
        .with_attribute(("time", verification.seconds.to_string().as_str()))
        .write_inner_content(|writer| {
            for report in &verification.stages {
                case(writer, report, verification.has_failed(report))?;
            }
            Ok(())
        })?;
    writeln!(writer.get_mut())?;
    Ok(())
}

fn case<W: Write>(
    writer: &mut Writer<W>,
    report: &StageReport,
    failed: bool,
) -> std::io::Result<()> {
    let seconds = report.seconds.as_secs_f64();
    let case = writer
        .create_element("testcase")
        .with_attribute(("classname", "dockstrap.verify"))
        .with_attribute(("name", report.stage))
        .with_attribute(("time", format!("{seconds:.3}").as_str()));
    let (element, text) = match &report.outcome {
        Outcome::Passed(text) => ("system-out", text),
        Outcome::Failed(text) => ("failure", text),
        Outcome::Skipped(text) | Outcome::Unreachable(text) | Outcome::RateLimited(text) => {
            (if failed { "failure" } else { "skipped" }, text)
        }
    };
    let text = readable(text);
    case.write_inner_content(|writer| {
        let said = writer.create_element(element);
        if element == "system-out" {
            said.write_text_content(BytesText::new(&text))?;
        } else {
            let first = text.lines().next().unwrap_or_default();
            let said = said.with_attribute(("message", first));
            said.write_text_content(BytesText::new(&text))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Without passwords, and without what XML cannot hold.
fn readable(text: &str) -> String {
    redact(&visible(text)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    fn report(stage: &'static str, outcome: Outcome) -> StageReport {
        StageReport {
            stage,
            outcome,
            seconds: Duration::from_millis(1500),
        }
    }

    #[test]
    fn the_last_good_file_stays_until_the_next_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verify.xml");
        fs::write(&path, "the last").unwrap();
        let file = JunitFile::at(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "the last");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let proof = vec![report("engine", Outcome::Passed("fine".to_owned()))];
        file.write(&Verification::of(proof)).unwrap();
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .ends_with("</testsuite>\n")
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(JunitFile::at(folder.path()).is_err());
        assert!(JunitFile::at(&folder.path().join("none/verify.xml")).is_err());
    }

    #[test]
    fn another_users_link_leads_roots_writing_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (
            folder.path().join("verify.xml"),
            folder.path().join("theirs"),
        );
        fs::write(&target, "kept").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        // One's own is followed.
        assert!(JunitFile::at(&link).is_ok());
        let beneath = folder.path().join("out");
        fs::create_dir(&beneath).unwrap();
        let file = JunitFile::at(&beneath.join("verify.xml")).unwrap();
        // Exchanged meanwhile, the folder is still the one that was meant.
        fs::rename(&beneath, folder.path().join("moved")).unwrap();
        std::os::unix::fs::symlink("/etc", &beneath).unwrap();
        file.write(&Verification::of(Vec::new())).unwrap();
        assert!(folder.path().join("moved/verify.xml").exists());
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::lchown(&link, Some(65534), None).unwrap();
            assert!(JunitFile::at(&link).is_err());
            assert_eq!(fs::read_to_string(&target).unwrap(), "kept");
        }
    }

    #[test]
    fn every_stage_is_a_case_with_its_outcome() {
        let failed = "`a <b>` & \u{1b}[1mhttp://me:word@proxy\nmore".to_owned();
        let verification = Verification::of(vec![
            report("engine", Outcome::Passed("fine".to_owned())),
            report("run", Outcome::Failed(failed)),
            report("hub", Outcome::Unreachable("far away".to_owned())),
        ]);
        let mut xml = Vec::new();
        junit(&verification, &mut xml).unwrap();
        let xml = String::from_utf8(xml).unwrap();
        for expected in [
            "tests=\"3\" failures=\"1\" skipped=\"1\"",
            "<testcase classname=\"dockstrap.verify\" name=\"engine\" time=\"1.500\">",
            "<failure message=\"`a &lt;b&gt;` &amp; \\x1b[1mhttp://***@proxy\">",
            "<skipped message=\"far away\">far away</skipped>",
        ] {
            assert!(xml.contains(expected), "{expected}: {xml}");
        }
    }
}
