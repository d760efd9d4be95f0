//! What a command said and how it ended, with checks that read as sentences.

use std::process::Output;

/// A command that ended.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    command: String,
    code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub(crate) fn new(command: String, output: &Output) -> Outcome {
        Outcome {
            command,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails unless the command ended with this exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Outcome {
        if self.code != Some(code) {
            self.fail(&format!("exit code {code}, but it was {:?}", self.code));
        }
        self
    }

    /// Fails unless exactly this was printed.
    #[track_caller]
    pub(crate) fn is(self, text: &str) -> Outcome {
        if self.stdout != text {
            self.fail(&format!("only `{text}`"));
        }
        self
    }

    /// Fails unless the text stands in what was printed.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Outcome {
        self.says_all(&[text])
    }

    /// Fails unless all of these texts stand in what was printed.
    #[track_caller]
    pub(crate) fn says_all(self, texts: &[&str]) -> Outcome {
        for text in texts {
            if !self.all().contains(text) {
                self.fail(&format!("the words `{text}`"));
            }
        }
        self
    }

    /// Fails when the text stands in what was printed.
    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Outcome {
        if self.all().contains(text) {
            self.fail(&format!("nothing of `{text}`"));
        }
        self
    }

    pub(crate) fn has_succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// Both streams, one after the other.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => self.fail(&format!("JSON ({error})")),
        }
    }

    #[track_caller]
    fn fail(&self, expected: &str) -> ! {
        panic!(
            "`{}` was to show {expected}\n--- code {:?}, stdout:\n{}--- stderr:\n{}---",
            self.command, self.code, self.stdout, self.stderr
        );
    }
}
