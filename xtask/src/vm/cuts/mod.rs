//! `cargo xtask vm cuts`: the power of a guest is cut while its engine acknowledges calls, again and again.
//!
//! The guest's data lie on a disk with a volatile cache (`disk`), served to the emulator by `nbd`. A client in the guest
//! (`client`) prints each call before it is sent and when it is acknowledged. At a random moment the emulator is killed
//! and what the cache held is lost in random part. The next boot's engine starts on that disk, and what it holds is
//! compared with what was acknowledged (`knowledge`); then it is called in its turn. A few are cut while they start.
//!
//! Invariant: a drill is repeated by its seed, as far as the guest's own course allows it.
//!
//! Invariant: the first fault ends the drill and is its outcome.

mod client;
mod disk;
mod knowledge;
mod nbd;

use std::fs::File;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::disk::{Counts, Disk, Draw};
use self::knowledge::{Heard, Knowledge};
use super::kernel::{self, Kernel};
use super::machine::{Guest, Running};
use super::root::Root;
use super::{cache, command, needed, scenarios};

pub(super) use self::client::run_client;

const USAGE: &str = "usage: cargo xtask vm cuts [--seed N] [--count N] [--lie]";
const DISK_BYTES: u64 = 2 << 30;
/// For a boot, an engine's start and its account, on a loaded machine.
const START_PATIENCE: Duration = Duration::from_secs(300);
/// How much of the cache reaches the medium at a cut.
const KEPT_PERCENT: [u64; 5] = [0, 20, 50, 80, 95];
/// One boot of so many is cut while it starts.
const EARLY_ONE_OF: u64 = 8;
const EARLY_MS_MAX: u64 = 6000;
const LATE_MS_MAX: u64 = 5000;
/// The power goes with one of so many writes after the moment that was drawn.
const WRITES_MAX: u64 = 12;
const WRITE_PATIENCE: Duration = Duration::from_secs(2);
/// The line before the engine is started.
const STARTING: &str = "starting";

struct Settings {
    seed: u64,
    count: u64,
    lies: bool,
}

/// How a boot ended.
enum Boot {
    /// Cut while calls were acknowledged.
    Cut,
    /// Cut while the engine started.
    CutEarly,
    /// The last one: all was told.
    Told,
    /// Something is not as it must be.
    Faults(Vec<String>),
}

/// Runs the drill.
pub(super) fn run(args: &[&str]) -> Result<(), String> {
    let mut settings = Settings { seed: 1, count: 50, lies: false };
    let mut rest = args;
    let number = |value: &str| value.parse::<u64>().map_err(|_| format!("expected a number, got `{value}`"));
    loop {
        match rest {
            ["--seed", value, more @ ..] => (settings.seed, rest) = (number(value)?, more),
            ["--count", value, more @ ..] => (settings.count, rest) = (number(value)?, more),
            ["--lie", more @ ..] => (settings.lies, rest) = (true, more),
            [] => break,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let began = Instant::now();
    let mut drill = Drill::new(&settings)?;
    let outcome = drill.run(&settings);
    crate::say(&drill.told(began.elapsed()));
    let faults = outcome?;
    match (settings.lies, faults.is_empty()) {
        (false, true) => Ok(()),
        (false, false) => Err(format!("seed {}:\n{}", settings.seed, faults.join("\n"))),
        (true, false) => {
            crate::say(&format!("the disk lied, and the drill found it:\n{}", faults.join("\n")));
            Ok(())
        }
        (true, true) => Err("the disk lied, and the drill found nothing".to_owned()),
    }
}

struct Drill {
    kernel: Kernel,
    place: tempfile::TempDir,
    root: PathBuf,
    listener: UnixListener,
    disk: Arc<Mutex<Disk>>,
    draw: Draw,
    knowledge: Knowledge,
    boots: u32,
    cuts: u64,
    early: u64,
    restarted: u64,
}

impl Drill {
    fn new(settings: &Settings) -> Result<Self, String> {
        let kernel = kernel::find(&cache()?)?;
        let place = tempfile::tempdir_in(cache()?).map_err(|error| error.to_string())?;
        let root = place.path().join("root.img");
        image(&kernel)?.into_image(&root, 64)?;
        let failed = |error: std::io::Error| format!("the disk: {error}");
        let medium = place.path().join("data.img");
        let open = File::options().read(true).write(true).create_new(true).open(&medium).map_err(failed)?;
        open.set_len(DISK_BYTES).map_err(failed)?;
        command(
            &needed("mke2fs", "e2fsprogs")?,
            &["-q".as_ref(), "-F".as_ref(), "-t".as_ref(), "ext4".as_ref(), medium.as_ref()],
        )?;
        Ok(Self {
            listener: UnixListener::bind(place.path().join("disk")).map_err(failed)?,
            disk: Arc::new(Mutex::new(Disk::new(open, settings.lies).map_err(failed)?)),
            draw: Draw::new(settings.seed),
            knowledge: Knowledge::default(),
            kernel,
            place,
            root,
            boots: 0,
            cuts: 0,
            early: 0,
            restarted: 0,
        })
    }

    /// Answers what was not as it must be.
    fn run(&mut self, settings: &Settings) -> Result<Vec<String>, String> {
        loop {
            let is_last = self.cuts >= settings.count;
            // Not the first one, for there is nothing yet that it could lose; the second one always.
            let is_early = !is_last && self.boots > 0 && (self.draw.below(EARLY_ONE_OF) == 0 || self.boots == 1);
            self.boots += 1;
            self.knowledge.boot();
            let ended = self.boot(is_last, is_early)?;
            // A disk that lies and keeps a part leaves no file system; one that keeps nothing shows what the calls lost.
            let drawn = KEPT_PERCENT.get(self.draw.below(5) as usize).copied().unwrap_or(0);
            let kept_percent = if settings.lies { 0 } else { drawn };
            let mut disk = self.disk.lock().unwrap_or_else(PoisonError::into_inner);
            let before = disk.counts;
            disk.cut(&mut self.draw, kept_percent).map_err(|error| format!("the disk: {error}"))?;
            let (kept, torn, lost) =
                (disk.counts.kept - before.kept, disk.counts.torn - before.torn, disk.counts.lost - before.lost);
            drop(disk);
            let cache = format!("of the cache {kept} writes kept, {torn} torn, {lost} lost");
            match ended {
                Boot::Told => return Ok(vec![]),
                Boot::Faults(faults) => return Ok(faults),
                Boot::Cut => {
                    self.cuts += 1;
                    let calls = self.knowledge.acknowledged_here;
                    crate::say(&format!("cut {} after {calls} acknowledged calls; {cache}", self.cuts));
                }
                Boot::CutEarly => {
                    self.early += 1;
                    crate::say(&format!("cut while the engine started; {cache}"));
                }
            }
        }
    }

    /// One boot, up to the moment when the power is cut.
    fn boot(&mut self, is_last: bool, is_early: bool) -> Result<Boot, String> {
        let words = format!("drill.boot={} drill.last={}", self.boots, u8::from(is_last));
        let socket = self.place.path().join("disk");
        let drive = format!(
            "driver=raw,file.driver=nbd,file.server.type=unix,file.server.path={},if=virtio,discard=unmap",
            socket.display()
        );
        let guest = Guest { memory_mib: 1024, time: START_PATIENCE };
        let (listener, disk) = (self.listener.try_clone().map_err(|error| error.to_string())?, Arc::clone(&self.disk));
        let server = std::thread::spawn(move || nbd::serve(&listener, &disk));
        let mut running =
            Running::start(&guest, &self.kernel, self.place.path(), &self.root, &words, &["-drive".to_owned(), drive])?;
        let ended = self.listen(&mut running, is_early);
        self.lose_power(&mut running, matches!(ended, Ok(Boot::Cut | Boot::CutEarly)));
        drop(running);
        let served = server.join().map_err(|_| "the disk's server ended".to_owned())?;
        // What was cut off in the middle of a request is as if it had not been sent.
        match served {
            Err(error)
                if error.kind() != std::io::ErrorKind::UnexpectedEof
                    && error.kind() != std::io::ErrorKind::BrokenPipe =>
            {
                Err(format!("the disk's server: {error}"))
            }
            _ => ended,
        }
    }

    /// Cuts the power while a write waits, unless none comes; what was said until then counts.
    fn lose_power(&mut self, running: &mut Running, is_cut: bool) {
        let lock = || self.disk.lock().unwrap_or_else(PoisonError::into_inner);
        if is_cut {
            lock().lose_power_after(1 + self.draw.below(WRITES_MAX));
            let deadline = Instant::now() + WRITE_PATIENCE;
            while !lock().is_dead() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        for line in running.cut() {
            let _ = self.knowledge.hear(self.boots, &line);
        }
    }

    fn listen(&mut self, running: &mut Running, is_early: bool) -> Result<Boot, String> {
        let (early, late) = (self.draw.below(EARLY_MS_MAX), self.draw.below(LATE_MS_MAX));
        let mut ended = None;
        let mut other = vec![];
        let started = Instant::now();
        let mut cut_at: Option<(Instant, Boot)> = None;
        loop {
            let patience = cut_at.as_ref().map_or(started + START_PATIENCE, |(at, _)| *at);
            let line = running.line(patience.saturating_duration_since(Instant::now()));
            let Some(line) = line else { break };
            if is_early && line == STARTING {
                cut_at = Some((Instant::now() + Duration::from_millis(early), Boot::CutEarly));
            }
            match self.knowledge.hear(self.boots, &line) {
                Heard::Fact => {}
                Heard::Acknowledged if cut_at.is_none() => {
                    cut_at = Some((Instant::now() + Duration::from_millis(late), Boot::Cut));
                }
                Heard::Acknowledged => {}
                Heard::Told(faults) if faults.is_empty() => self.restarted += 1,
                Heard::Told(faults) => return Ok(Boot::Faults(faults)),
                Heard::Other if line == "end" => {
                    ended = Some(Boot::Told);
                    break;
                }
                Heard::Other => other.push(line),
            }
        }
        match (ended, cut_at) {
            (Some(ended), _) => Ok(ended),
            (None, Some((at, boot))) if Instant::now() >= at => Ok(boot),
            // It ended or hung by itself: what it said last.
            _ => Ok(Boot::Faults(vec![format!("boot {} went wrong: {}", self.boots, other.join("\n"))])),
        }
    }

    fn told(&self, time: Duration) -> String {
        let Counts { writes, flushes, kept, torn, lost } =
            self.disk.lock().unwrap_or_else(PoisonError::into_inner).counts;
        let acknowledged: Vec<String> =
            self.knowledge.acknowledged.iter().map(|(kind, times)| format!("{kind} {times}")).collect();
        format!(
            "{} boots, {} cuts while calls were acknowledged, {} while the engine started; {} accounts compared\n\
             acknowledged: {}\ntasks' processes seen: {}\n\
             disk: {writes} writes, {flushes} flushes; of those not flushed at a cut {kept} kept, {torn} torn, {lost} lost\n{} s",
            self.boots,
            self.cuts,
            self.early,
            self.restarted,
            acknowledged.join(", "),
            self.knowledge.runs(),
            time.as_secs()
        )
    }
}

/// The root that every boot begins with.
fn image(kernel: &Kernel) -> Result<Root, String> {
    let neargate = scenarios::built("neargate-cli", "neargate", &["build", "--release"])?;
    let mut root = scenarios::root_with_programs(kernel)?;
    root.program(&neargate, Path::new("/usr/bin/neargate"))?;
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    root.program(&own, Path::new("/usr/bin/xtask"))?;
    root.write("vm/cuts/neargate.toml", include_str!("../guest/cuts/neargate.toml"))?;
    root.write("vm/cuts/task.yaml", include_str!("../guest/cuts/task.yaml"))?;
    root.write("vm/main", include_str!("../guest/cuts.sh"))?;
    root.write("vm/nonce", "ended\n")?;
    Ok(root)
}
