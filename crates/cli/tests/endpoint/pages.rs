//! The servers that a page comes from: a foreign one, and one whose name is pointed at the endpoint once its page is loaded.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::engine::{Door, PATIENCE};

const ATTACK: &str = include_str!("attack.html");
/// How long a try may take to arrive.
const ARRIVAL_PATIENCE: Duration = Duration::from_secs(20);

/// What came of one try: how many requests of the browser arrived, and how many were refused.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) arrived: u64,
    pub(crate) refused: u64,
}

/// How many requests have arrived, and how many of them were refused.
type Count = Box<dyn Fn() -> (u64, u64) + Send + Sync>;

/// Pages by their path, and what was told of them.
pub(crate) struct Pages {
    /// Whom the pages call.
    port: u16,
    count: Count,
    configs: Mutex<BTreeMap<String, Json>>,
    told: Mutex<Told>,
    news: Condvar,
}

#[derive(Default)]
struct Told {
    /// Arrived and refused so far.
    counted: (u64, u64),
    outcomes: BTreeMap<String, Outcome>,
    failures: Vec<String>,
    is_done: bool,
}

impl Pages {
    /// Pages that call an endpoint, which counts.
    pub(crate) fn new(engine: Door) -> Arc<Self> {
        Self::counted_by(engine.port, Box::new(move || engine.counts()))
    }

    /// Pages that call somebody on a port.
    pub(crate) fn counted_by(port: u16, count: Count) -> Arc<Self> {
        let told = Told { counted: count(), ..Told::default() };
        let (configs, told) = (Mutex::default(), Mutex::new(told));
        Arc::new(Self { port, count, configs, told, news: Condvar::new() })
    }

    /// Puts a page at a path.
    pub(crate) fn put(&self, path: &str, config: Json) {
        self.configs.lock().unwrap().insert(path.to_owned(), config);
    }

    /// Serves the pages on a listener, for good.
    pub(crate) fn serve(self: &Arc<Self>, listener: TcpListener) {
        let pages = Arc::clone(self);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let pages = Arc::clone(&pages);
                // A browser drops connections as it likes.
                std::thread::spawn(move || drop(pages.attend(stream.unwrap(), None)));
            }
        });
    }

    /// The same, but everything that is no page goes on to the endpoint as it is: what a browser sees when a name that it has
    /// a page from is pointed at this machine.
    pub(crate) fn serve_rebound(self: &Arc<Self>, listener: TcpListener) {
        let (pages, port) = (Arc::clone(self), self.port);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let pages = Arc::clone(&pages);
                std::thread::spawn(move || drop(pages.attend(stream.unwrap(), Some(port))));
            }
        });
    }

    /// Waits for the last page's end; what came of each try, and what the pages could not even try.
    pub(crate) fn outcomes(&self) -> (BTreeMap<String, Outcome>, Vec<String>) {
        let told = self.told.lock().unwrap();
        let (told, waited) = self.news.wait_timeout_while(told, PATIENCE * 3, |told| !told.is_done).unwrap();
        assert!(!waited.timed_out(), "the browser has not come to its end: {:?} {:?}", told.outcomes, told.failures);
        (told.outcomes.clone(), told.failures.clone())
    }

    fn attend(&self, mut stream: TcpStream, behind: Option<u16>) -> std::io::Result<()> {
        let mut head = vec![];
        let mut chunk = [0; 8192];
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            let count = stream.read(&mut chunk)?;
            if count == 0 {
                return Ok(());
            }
            head.extend_from_slice(&chunk[..count]);
        }
        let target = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        if let Some(config) = self.configs.lock().unwrap().get(path).cloned() {
            return reply(&mut stream, "text/html", &ATTACK.replace("/*CONFIG*/null", &config.to_string()));
        }
        if let Some(port) = behind {
            return pass_on(stream, &head, port);
        }
        match path {
            "/settled" => self.settle(&query.replace('+', " ")),
            "/failed" => self.told.lock().unwrap().failures.push(query.replace('+', " ")),
            "/done" => {
                self.told.lock().unwrap().is_done = true;
                self.news.notify_all();
            }
            _ => {}
        }
        reply(&mut stream, "text/plain", "")
    }

    /// Waits until something was refused since the last try, or arrived where nothing is refused.
    fn settle(&self, name: &str) {
        let deadline = Instant::now() + ARRIVAL_PATIENCE;
        let mut told = self.told.lock().unwrap();
        loop {
            let now = (self.count)();
            if now.1 > told.counted.1 || Instant::now() > deadline {
                let outcome = Outcome { arrived: now.0 - told.counted.0, refused: now.1 - told.counted.1 };
                told.outcomes.insert(name.to_owned(), outcome);
                told.counted = now;
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn reply(stream: &mut TcpStream, content_type: &str, body: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\naccess-control-allow-origin: *\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes())
}

fn pass_on(mut stream: TcpStream, head: &[u8], port: u16) -> std::io::Result<()> {
    let mut engine = TcpStream::connect(("127.0.0.1", port))?;
    engine.write_all(head)?;
    let (mut from, mut to) = (stream.try_clone()?, engine.try_clone()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut engine, &mut stream).map(drop)
}

/// A page's configuration.
pub(crate) fn config(context: &str, endpoint: &str, pages: &str, calls: Json, next: &str) -> Json {
    let tries: Vec<&str> = tries().collect();
    json!({ "context": context, "endpoint": endpoint, "pages": pages, "calls": calls, "tries": tries, "next": next })
}

/// The names of the tries, in the page's order.
pub(crate) fn tries() -> impl Iterator<Item = &'static str> {
    let table = ATTACK.split_once("const tries = {").unwrap().1.split_once("\n};").unwrap().0;
    table.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(':')?;
        rest.trim_start().starts_with('(').then_some(name)
    })
}
