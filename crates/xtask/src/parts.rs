//! Processes that xtask starts, each in a process group of its own, none of which outlives xtask.
//!
//! A part's lifeline is a pipe that only xtask holds. A small shell reads it, and when it breaks,
//! because the part is dropped or because xtask was killed, however hard, it ends the whole group.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::interrupt;

/// Waits for the end of its input, then ends the group `$1`: politely, and after five seconds not.
const GUARD: &str = r#"
trap '' INT TERM HUP
while read -r _; do :; done
kill -s TERM -- "-$1" 2>/dev/null || exit 0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
    kill -s 0 -- "-$1" 2>/dev/null || exit 0
    sleep 0.2
done
kill -s KILL -- "-$1" 2>/dev/null
"#;

/// Longer than the guard takes; a part that still runs then has no guard any more.
const GUARD_AT_MOST: Duration = Duration::from_secs(8);

/// How often a running command is looked at.
const POLL: Duration = Duration::from_millis(20);

/// A process that runs beside xtask.
pub(crate) struct Part {
    name: &'static str,
    log: Option<PathBuf>,
    child: Child,
    guard: Child,
    stopped: bool,
}

impl Part {
    /// Starts `command`, with its output in the file `log`, or where xtask's goes without one.
    pub(crate) fn start(name: &'static str, mut command: Command, log: Option<&Path>) -> Result<Self> {
        command.process_group(0).stdin(Stdio::null());
        if let Some(log) = log {
            let file =
                File::create(log).with_context(|| format!("cannot write {name}'s log {}", log.display()))?;
            let copy = file.try_clone().context("cannot share a log file")?;
            command.stdout(file).stderr(copy);
        }
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start {name} ({program})"))?;
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match guard {
            Ok(guard) => Ok(Self {
                name,
                log: log.map(Path::to_path_buf),
                child,
                guard,
                stopped: false,
            }),
            Err(error) => {
                let mut child = child;
                let _ = child.kill();
                let _ = child.wait();
                Err(error).with_context(|| format!("cannot start the guard of {name} (sh)"))
            }
        }
    }

    /// An error, with the end of its log, if the part has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        match self
            .child
            .try_wait()
            .with_context(|| format!("cannot look at {}", self.name))?
        {
            Some(status) => bail!("{} ended early ({status}){}", self.name, self.log_tail()),
            None => Ok(()),
        }
    }

    /// Waits until the part ends by itself, or until somebody asks to stop.
    fn wait(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self
                .child
                .try_wait()
                .with_context(|| format!("cannot wait for {}", self.name))?
            {
                return Ok(status);
            }
            interrupt::check()?;
            std::thread::sleep(POLL);
        }
    }

    /// Ends the part and everything that it started.
    pub(crate) fn stop(&mut self) {
        if !std::mem::replace(&mut self.stopped, true) {
            drop(self.guard.stdin.take());
            // Reaped as soon as it ends: until then the guard still sees the group.
            let begun = Instant::now();
            while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < GUARD_AT_MOST {
                std::thread::sleep(POLL);
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
            let _ = self.guard.wait();
        }
    }

    fn log_tail(&self) -> String {
        match &self.log {
            Some(log) => tail(log),
            None => String::new(),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs a command to its end; an error names it and shows the end of its log.
pub(crate) fn run(name: &'static str, command: Command, log: Option<&Path>) -> Result<()> {
    let status = status(name, command, log)?;
    if !status.success() {
        bail!("{name} failed ({status}){}", log.map(tail).unwrap_or_default());
    }
    Ok(())
}

/// What a quick command says; an error names it and has what it complains of.
pub(crate) fn text(name: &str, mut command: Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}): {}", output.status, why.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command to its end, whichever that is.
pub(crate) fn status(name: &'static str, command: Command, log: Option<&Path>) -> Result<ExitStatus> {
    let mut part = Part::start(name, command, log)?;
    let status = part.wait()?;
    part.stop();
    Ok(status)
}

/// The last lines of a log file, ready to follow an error message.
fn tail(log: &Path) -> String {
    const BYTES: u64 = 16_384;
    const LINES: usize = 40;
    let text = File::open(log).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    });
    match text {
        Ok(text) => {
            let lines: Vec<&str> = text.lines().collect();
            let last = &lines[lines.len().saturating_sub(LINES)..];
            format!("; the end of {}:\n{}", log.display(), last.join("\n"))
        }
        Err(error) => format!("; its log {} cannot be read: {error}", log.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("dormouse-parts-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_failed_command_shows_the_end_of_its_log() {
        let log = scratch("failed");
        let error =
            run("probe", shell("echo because of this; exit 3"), Some(&log)).map_err(|e| e.to_string());
        let _ = std::fs::remove_file(&log);
        let text = error.expect_err("the command fails");
        assert!(text.contains("probe failed (exit status: 3)"), "{text}");
        assert!(text.contains("because of this"), "{text}");
    }

    #[test]
    fn stopping_a_part_ends_what_it_started() {
        let log = scratch("children");
        let mut part =
            Part::start("probe", shell("sleep 600 & echo $!; wait"), Some(&log)).expect("sh starts");
        let mut child = String::new();
        while child.is_empty() {
            std::thread::sleep(POLL);
            child = std::fs::read_to_string(&log)
                .unwrap_or_default()
                .trim()
                .to_owned();
        }
        part.check().expect("it runs");
        part.stop();
        let _ = std::fs::remove_file(&log);
        let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        assert!(
            state.is_empty() || state.contains(") Z "),
            "process {child} still runs: {state}"
        );
    }
}
