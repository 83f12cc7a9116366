//! The emulated machine: started, listened to, ended.
//!
//! Invariant: it ends with this program, when its time is over, or by itself; its memory is bounded by what it is given.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::kernel::Kernel;
use super::root::{self, Root};
use super::{cache, needed};

/// Room on the root's disk besides what is put there.
const FREE_MIB: u64 = 1024;
const COMMAND_LINE: &str = "console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on net.ifnames=0";

/// How a guest is made.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    pub(super) memory_mib: u32,
    /// After this long it is ended from outside.
    pub(super) time: Duration,
}

/// How a guest's run ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// The exit code of what it ran.
    pub(super) code: i32,
}

impl Guest {
    /// Runs a shell script in a guest with that root; every line that it prints goes to `line`.
    pub(super) fn run(
        &self,
        kernel: &Kernel,
        root: Root,
        script: &str,
        line: &mut dyn FnMut(&str),
    ) -> Result<Ended, String> {
        let place = tempfile::tempdir_in(cache()?).map_err(|error| error.to_string())?;
        let nonce = format!("vm-{}-ended", std::process::id());
        root.write("vm/main", script)?;
        root.write("vm/nonce", &format!("{nonce}\n"))?;
        let image = place.path().join("root.img");
        root.into_image(&image, FREE_MIB)?;
        let mut running = Running::start(self, kernel, place.path(), &image, "", &[])?;
        let mut code = None;
        running.lines(self.time, &mut |text| match text.split_once(&nonce) {
            Some((before, number)) => {
                code = number.trim().parse().ok();
                if !before.is_empty() {
                    line(before);
                }
                false
            }
            None => {
                line(text);
                true
            }
        })?;
        drop(running);
        code.map(|code| Ended { code }).ok_or_else(|| kernel_messages(place.path()))
    }
}

/// A guest that ended without a word: what its kernel said last.
fn kernel_messages(place: &Path) -> String {
    let text = fs::read(place.join("kernel.log")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.get(lines.len().saturating_sub(25)..).unwrap_or_default();
    format!("the guest ended without an exit code; its kernel said last:\n{}", last.join("\n"))
}

/// A guest that runs.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    output: mpsc::Receiver<String>,
}

impl Running {
    /// Starts a guest on a root image, which stays as it is. `words` are for its kernel's command line, `more` are further
    /// arguments of the emulator.
    pub(super) fn start(
        guest: &Guest,
        kernel: &Kernel,
        place: &Path,
        image: &Path,
        words: &str,
        more: &[String],
    ) -> Result<Self, String> {
        let first = place.join("first.cpio");
        fs::write(&first, root::first_root(kernel)?).map_err(|error| format!("{}: {error}", first.display()))?;
        let emulator = needed("qemu-system-x86_64", "qemu-system-x86")?;
        // The kernel ends it when this program's thread ends, however that comes about.
        let mut child = Command::new(needed("setpriv", "util-linux")?)
            .args(["--pdeathsig", "KILL"])
            .arg(emulator)
            .args("-accel tcg,thread=multi -cpu max,la57=off -smp 2 -nodefaults -no-user-config -no-reboot".split(' '))
            .args("-display none -nic none -device virtio-serial -device virtconsole,chardev=out".split(' '))
            .args("-chardev stdio,id=out,signal=off".split(' '))
            .args(["-m", &guest.memory_mib.to_string(), "-append", &format!("{COMMAND_LINE} {words}")])
            .arg("-kernel")
            .arg(&kernel.image)
            .arg("-initrd")
            .arg(&first)
            .args(["-serial", &format!("file:{}", place.join("kernel.log").display())])
            .args(["-drive", &format!("file={},if=virtio,format=raw,snapshot=on", image.display())])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the emulator does not start: {error}"))?;
        let stdout = child.stdout.take().ok_or("the emulator has no output")?;
        let (sender, output) = mpsc::sync_channel(1024);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut bytes = vec![];
            // A guest that prints without end waits for its reader.
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&bytes);
                let sent = sender.send(text.trim_end_matches(['\n', '\r']).to_owned());
                bytes.clear();
                if sent.is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, output })
    }

    /// The next line, if one comes in that time and the guest has not ended.
    pub(super) fn line(&mut self, time: Duration) -> Option<String> {
        self.output.recv_timeout(time).ok()
    }

    /// Cuts its power; answers what it had printed and nobody has read.
    pub(super) fn cut(&mut self) -> Vec<String> {
        let _ = self.child.kill();
        // What holds the other end of the pipe is gone, so this ends.
        self.output.iter().collect()
    }

    /// Hands over what the guest prints until it ends or the function says that it is enough. Too long is an error.
    pub(super) fn lines(&mut self, time: Duration, line: &mut dyn FnMut(&str) -> bool) -> Result<(), String> {
        let deadline = Instant::now() + time;
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(text) if line(&text) => {}
                Ok(_) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("the guest was ended after {} s", time.as_secs()));
                }
            }
        }
    }
}

impl Drop for Running {
    /// As if its power were cut.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
