//! A verification as JUnit's XML, which build servers show.

use std::io::Write;

use anyhow::Result;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::redact::redact;
use crate::report::{Outcome, StageReport};
use crate::verify::Verification;

/// Writes the verification: a suite with a case for each stage.
pub fn junit(verification: &Verification, file: impl Write) -> Result<()> {
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
    let allowed = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    redact(text).chars().filter(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn report(stage: &'static str, outcome: Outcome) -> StageReport {
        StageReport {
            stage,
            outcome,
            seconds: Duration::from_millis(1500),
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
            "<failure message=\"`a &lt;b&gt;` &amp; [1mhttp://***@proxy\">",
            "<skipped message=\"far away\">far away</skipped>",
        ] {
            assert!(xml.contains(expected), "{expected}: {xml}");
        }
    }
}
