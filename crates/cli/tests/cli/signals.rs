//! Signals: whatever breaks a command off, nothing stays behind, and the exit code says what it was.

use neargate_testkit::needs::needs;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::control;
use crate::harness::{GREETER, Place, fixture};
use crate::running::Running;

const ALL: [(&str, Signal, i32); 3] =
    [("HUP", Signal::HUP, 129), ("INT", Signal::INT, 130), ("TERM", Signal::TERM, 143)];
const PATIENCE: Duration = Duration::from_secs(60);

/// An app in `sh` that takes a while, and whose own child would live on.
const SLOW_APP: &str = "
sleep 0.3
mkdir -p \"$CDK_OUTDIR\"
cp task.yaml \"$CDK_OUTDIR/One.template.yaml\"
cat > \"$CDK_OUTDIR/manifest.json\" <<'END'
{\"version\": \"55.0.0\", \"artifacts\": {\"One\": {\"type\": \"aws:cloudformation:stack\",
 \"properties\": {\"templateFile\": \"One.template.yaml\", \"stackName\": \"one\"}}}}
END
";

/// A place whose container never ends by itself.
fn place(app: &str) -> Place {
    let place = Place::new();
    let template = fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let endless = template.replace("exit $CODE'", "trap \"exit 3\" TERM; sleep 1000 & wait'");
    let config = GREETER.replace("template = \"task.yaml\"", "app = \"sh app.sh\"");
    place.write("app/task.yaml", &endless).write("app/app.sh", app);
    place.write("app/neargate.toml", &config);
    place
}

fn begin(place: &Place) -> Child {
    let mut command = place.command(&["try", "app", "--fire", "Monthly"]);
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

/// Waits for the end: exit code, stdout and stderr.
fn end(child: Child) -> (i32, String, String) {
    let output = child.wait_with_output().unwrap();
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), shown(&output.stdout), shown(&output.stderr))
}

/// The instance of the engine in a process, once there is one; `None` where the process ends before.
fn instance_of(child: &mut Child) -> Option<String> {
    loop {
        if let Some(port) = listening_port(child.id()) {
            return Some(control(&port, "status")["instance"].as_str().unwrap().to_owned());
        }
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The port on which a process listens, from the kernel's tables.
fn listening_port(pid: u32) -> Option<String> {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let sockets: Vec<String> = links
        .filter_map(|link| fs::read_link(link.ok()?.path()).ok())
        .filter_map(|to| to.to_str()?.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned))
        .collect();
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).ok()?;
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_listening =
            columns.get(3) == Some(&"0A") && sockets.iter().any(|it| Some(&it.as_str()) == columns.get(9));
        let (_, port) = columns.get(1).filter(|_| is_listening)?.split_once(':')?;
        Some(u16::from_str_radix(port, 16).ok()?.to_string())
    })
}

/// What is left of an engine anywhere on the machine.
fn left_over(place: &Place, instance: Option<&str>) -> Vec<String> {
    let mut left = place.left_over();
    let own = place.dir.path().display().to_string();
    let is_own = |text: &str| text.contains(&own) || instance.is_some_and(|instance| text.contains(instance));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    left.extend(mounts.lines().filter(|line| is_own(line)).map(|line| format!("mount {line}")));
    for process in fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok().map(|it| it.path())) {
        let of = |file: &str| fs::read_to_string(process.join(file)).unwrap_or_default();
        if process.join("cgroup").exists() && (is_own(&of("cgroup")) || is_own(&of("cmdline"))) {
            left.push(format!("process {} {}", process.display(), of("cmdline").replace('\0', " ")));
        }
    }
    if let Some(instance) = instance {
        let run = Path::new("/run/neargate").join(instance);
        left.extend(run.exists().then(|| run.display().to_string()));
        cgroups(Path::new("/sys/fs/cgroup"), instance, 0, &mut left);
    }
    left
}

fn cgroups(directory: &Path, instance: &str, depth: usize, left: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().contains(instance) {
            left.push(entry.path().display().to_string());
        } else if depth < 3 && entry.file_type().is_ok_and(|it| it.is_dir()) {
            cgroups(&entry.path(), instance, depth + 1, left);
        }
    }
}

#[needs(containers)]
fn nothing_stays_whenever_a_signal_comes() {
    // What a whole way up to the running container takes here sets where the signals fall.
    let started = Instant::now();
    let place = place(SLOW_APP);
    let mut child = begin(&place);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "        main │ nobody, schedule\n");
    let whole = started.elapsed();
    send(&child, Signal::TERM);
    assert_eq!(end(child).0, 143);
    let seed = u64::from(std::process::id());
    for (round, (name, signal, code)) in ALL.iter().cycle().take(12).enumerate() {
        // A walk over the whole way that is another in each process.
        let part = (seed * 7919 + round as u64 * 3571) % 1000;
        let delay = whole * u32::try_from(part).unwrap() / 900;
        let what = format!("{name} after {delay:?} of {whole:?}, seed {seed}");
        let mut child = begin(&place);
        let begun = Instant::now();
        let instance = std::thread::scope(|scope| {
            let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
            scope.spawn(move || {
                std::thread::sleep(delay);
                kill_process(pid, *signal).unwrap();
            });
            instance_of(&mut child)
        });
        let (ended, _, stderr) = end(child);
        // Before it looks for signals it has made nothing, and dies of them.
        let is_told = ended == *code && stderr.contains("NG-E0222");
        assert!(is_told || ended == -1 && stderr.is_empty(), "{what}: {ended} {stderr}");
        assert!(begun.elapsed() < PATIENCE, "{what}");
        assert_eq!(left_over(&place, instance.as_deref()), Vec::<String>::new(), "{what}: {stderr}");
    }
}

#[needs(containers)]
fn an_app_that_is_broken_off_takes_its_children_along() {
    let place = place("sleep 1000 & echo $! > child; echo started; wait");
    for (name, signal, code) in ALL {
        let mut child = begin(&place);
        let mut talk = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("started") {
            line.clear();
            assert!(talk.read_line(&mut line).unwrap() > 0);
        }
        let of_app = fs::read_to_string(place.path("app/child")).unwrap();
        send(&child, signal);
        let mut rest = String::new();
        talk.read_to_string(&mut rest).unwrap();
        assert_eq!(end(child).0, code, "{name}: {rest}");
        assert!(rest.contains(&format!("broken off by SIG{name}")), "{rest}");
        let is_alive = || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", of_app.trim()));
            stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
        };
        // What is killed is gone once the kernel gets round to it.
        let killed = Instant::now();
        while is_alive() && killed.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(!is_alive(), "{name}: the app's child lives on");
        assert_eq!(place.left_over(), Vec::<String>::new());
    }
}

#[needs()]
fn an_engine_ends_when_its_terminal_goes_unless_told_to_stay() {
    let place = Place::new();
    let up = |before: &str| {
        let data = place.path("data").display().to_string();
        let script = format!("{before} exec \"$0\" up --port 0 --data-dir {data}");
        let mut command = Command::new("sh");
        let own = place.command(&[]);
        command.args(["-c", &script]).arg(own.get_program()).current_dir(place.dir.path());
        command.envs(own.get_envs().map(|(name, value)| (name, value.unwrap())));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("export AWS_ENDPOINT_URL="), "{line}");
        child
    };
    let child = up("");
    send(&child, Signal::HUP);
    let (code, _, stderr) = end(child);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("stopped the engine"), "{stderr}");
    // As `nohup` starts it.
    let mut child = up("trap '' HUP;");
    send(&child, Signal::HUP);
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none());
    send(&child, Signal::TERM);
    assert_eq!(end(child).0, 0);
}

#[needs(containers)]
fn a_task_that_is_waited_for_is_stopped_or_left_running() {
    let template = fs::read_to_string(fixture("templates/task.yaml")).unwrap();
    let kind = "trap \"exit 3\" TERM; sleep 1000 & wait'";
    let engine = Running::start(&template.replace("exit $CODE'", kind), GREETER);
    let wait = || {
        let mut command = engine.place.command(&["run", "--port", &engine.port, "greeter", "--wait"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "        main │ nobody, schedule\n");
        child
    };
    let child = wait();
    send(&child, Signal::INT);
    let (code, _, stderr) = end(child);
    assert_eq!(code, 130, "{stderr}");
    assert!(stderr.contains("neargate run was interrupted (main: exit code 3)"), "{stderr}");
    // One that takes its time is left by a second signal.
    engine.place.write("app/task.yaml", &template.replace("exit $CODE'", "trap : TERM; while :; do sleep 1; done'"));
    engine.ok(&["up", "app"]);
    let mut child = wait();
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    send(&child, Signal::INT);
    let mut line = String::new();
    while !line.contains("ctrl-c again leaves it running") {
        line.clear();
        assert!(talk.read_line(&mut line).unwrap() > 0);
    }
    send(&child, Signal::INT);
    let mut rest = String::new();
    talk.read_to_string(&mut rest).unwrap();
    assert_eq!(end(child).0, 130, "{rest}");
    assert!(rest.contains("may still run") && rest.contains("neargate task stop"), "{rest}");
}
