//! The dashboard under load while a training runs beside it: event streams that watch the training, and requests for the
//! page of a finished run; then books of one contract that the run hedges, one after the other, beside that training and beside a job of
//! the server.
//!
//! `cargo bench --bench load -- [REQUESTS A SECOND] [SECONDS] [TURNS] [STREAMS]`, 2000, 10, 3 and 200 unless given. Every
//! turn measures the training's steps for so many seconds without load and for as many with it. Server, training and
//! load are processes of their own on the same cores; Linux alone says what memory and time they take.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader as AsyncReader};
use tokio::net::TcpStream;

const PROGRAM: &str = env!("CARGO_BIN_EXE_deephedge");
const CLOSES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/market_data/sp500_daily.csv");
const STRATEGY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/strategies/heston_call.toml");
/// Connections that share the requests.
const CONNECTIONS: usize = 32;

/// A process that is killed when the measurement ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn start(arguments: &[&str], runs: &Path) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--runs").arg(runs);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        Self(command.spawn().expect("the program starts"))
    }

    /// Memory in MB.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.unwrap_or_default();
        let kilobytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        kilobytes.and_then(|n| n.parse().ok()).unwrap_or(f64::NAN) / 1024.0
    }

    fn cpu_seconds(&self) -> f64 {
        cpu_seconds(&self.0.id().to_string())
    }
}

/// CPU seconds of a process so far: fields 14 and 15 of its `stat`, in hundredths.
fn cpu_seconds(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let (_, fields) = stat.rsplit_once(") ").unwrap_or_default();
    let ticks = fields.split(' ').skip(11).take(2);
    ticks.filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Steps that the training has written.
fn steps(progress: &Path) -> usize {
    let text = std::fs::read(progress).unwrap_or_default();
    let lines = text.split(|&byte| byte == b'\n');
    lines
        .filter(|line| line.starts_with(b"{\"event\":\"step\""))
        .count()
}

#[derive(Default)]
struct Counts {
    stop: AtomicBool,
    errors: AtomicU64,
    events: AtomicU64,
    open: AtomicU64,
}

/// Watches a run until told to stop.
async fn watch(address: String, path: String, counts: Arc<Counts>) {
    let watched = async {
        let mut stream = TcpStream::connect(&address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        counts.open.fetch_add(1, Ordering::Relaxed);
        let mut stream = AsyncReader::new(stream);
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line).await? > 0 {
            if line.starts_with(b"data: ") {
                counts.events.fetch_add(1, Ordering::Relaxed);
            }
            line.clear();
        }
        std::io::Result::Ok(())
    };
    let _ = watched.await;
    if !counts.stop.load(Ordering::Relaxed) {
        counts.errors.fetch_add(1, Ordering::Relaxed);
    }
}

/// Asks for a page, whose end is `end`, at fixed times; seconds from the time that a request was due to the end of its answer.
async fn ask(
    address: String,
    (request, end): (String, &'static str),
    (first, every): (Instant, Duration),
    counts: Arc<Counts>,
) -> Vec<f64> {
    let mut latencies = Vec::new();
    let asked = async {
        let stream = TcpStream::connect(&address).await?;
        stream.set_nodelay(true)?;
        let mut stream = AsyncReader::with_capacity(1 << 16, stream);
        let mut due = first;
        let (mut line, mut body) = (String::new(), Vec::new());
        while !counts.stop.load(Ordering::Relaxed) {
            tokio::time::sleep_until(due.into()).await;
            stream.get_mut().write_all(request.as_bytes()).await?;
            let (mut length, mut status) = (0, String::new());
            loop {
                line.clear();
                if stream.read_line(&mut line).await? == 0 {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                if status.is_empty() {
                    status.clone_from(&line);
                }
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap_or(0);
                }
                if line == "\r\n" {
                    break;
                }
            }
            body.resize(length, 0);
            stream.read_exact(&mut body).await?;
            if status.contains(" 200 ") && body.trim_ascii_end().ends_with(end.as_bytes()) {
                latencies.push(due.elapsed().as_secs_f64());
            } else {
                counts.errors.fetch_add(1, Ordering::Relaxed);
            }
            due += every;
        }
        std::io::Result::Ok(())
    };
    if asked.await.is_err() {
        counts.errors.fetch_add(1, Ordering::Relaxed);
    }
    latencies
}

/// A request that sends `body` to `path`.
fn post(path: &str, kind: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// The answer to a request, which ends with the connection.
fn answer(address: &str, request: &str) -> String {
    let request = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    let mut stream = std::net::TcpStream::connect(address).expect("the server answers");
    std::io::Write::write_all(&mut stream, request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).expect("an answer");
    answer
}

/// Uploads the shipped closes; the name under which the server knows them.
fn uploaded(address: &str) -> String {
    let closes = std::fs::read_to_string(CLOSES).expect("the closes are there");
    let request = post(
        "/api/v1/data?name=closes.csv",
        "application/octet-stream",
        &closes,
    );
    let answer = answer(address, &request);
    let (_, rest) = answer.split_once("\"file\":\"").expect("the file is taken");
    rest.split('"').next().expect("its name").to_owned()
}

/// Queues a training that outlasts the measurement as a job of the server.
fn queue(address: &str) {
    let strategy = std::fs::read_to_string(STRATEGY).expect("the strategy is there");
    let (strategy, _) = strategy.split_once("[backtest]").expect("a section");
    let strategy = strategy.replace("steps = 200", "steps = 1000000");
    let job = serde_json::json!({ "command": "compare", "strategy": strategy });
    let request = post("/api/v1/jobs", "application/json", &job.to_string());
    let answer = answer(address, &request);
    assert!(answer.contains("\"run\":"), "the job is taken: {answer}");
}

/// Milliseconds at a share of the sorted seconds.
fn milliseconds(seconds: &[f64], share: f64) -> f64 {
    let last = seconds.len().saturating_sub(1) as f64;
    1e3 * seconds
        .get((share * last) as usize)
        .copied()
        .unwrap_or(f64::NAN)
}

/// Asks for the hedge of a book of one contract on uploaded `prices`, one after the other, for so many seconds, `beside` other work.
async fn hedge(address: String, run: &str, prices: &str, seconds: f64, beside: &str) {
    const EVERY: Duration = Duration::from_millis(50);
    let question = serde_json::json!({
        "book": { "rows": [{ "sold": "2018-12-03", "quantity": 10 }] },
        "data": { "files": [prices], "start": "2004-01-01" },
        "date": "2018-12-17",
        "force": true,
    });
    let path = format!("/api/v1/runs/{run}/hedge");
    let request = post(&path, "application/json", &question.to_string());
    let counts = Arc::new(Counts::default());
    let asker = (Instant::now(), EVERY);
    let asker = tokio::spawn(ask(address, (request, "}"), asker, counts.clone()));
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    counts.stop.store(true, Ordering::Relaxed);
    let mut latencies = asker.await.unwrap_or_default();
    let first = latencies.first().copied().unwrap_or(f64::NAN);
    // What is read for the first is there for the others; those that were due until then waited for it.
    latencies.drain(
        ..latencies
            .len()
            .min((first / EVERY.as_secs_f64()).ceil() as usize + 1),
    );
    latencies.sort_by(f64::total_cmp);
    println!(
        "a book of one contract beside {beside}, {} requests after the first: p50 {:.1} ms, p99 {:.1} ms, greatest {:.0} ms; the first {:.0} ms; {} errors",
        latencies.len(),
        milliseconds(&latencies, 0.5),
        milliseconds(&latencies, 0.99),
        milliseconds(&latencies, 1.0),
        1e3 * first,
        counts.errors.load(Ordering::Relaxed),
    );
}

fn number(place: usize, otherwise: f64) -> f64 {
    let mut numbers = std::env::args()
        .skip(1)
        .filter(|text| !text.starts_with('-'));
    let number = |text: String| text.parse().expect("a number");
    numbers.nth(place).map_or(otherwise, number)
}

fn run_with(runs: &Path, file: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir(runs).ok()?.flatten();
    folders.map(|entry| entry.path()).find(|path| {
        path.join(file).is_file() && path.join("metrics.json").is_file() == (file == "metrics.json")
    })
}

fn main() {
    let (rate, seconds) = (number(0, 2000.0), number(1, 10.0));
    let (turns, streams) = (number(2, 3.0) as usize, number(3, 200.0) as usize);
    let runs = std::env::temp_dir().join(format!("deephedge-load-{}", std::process::id()));
    let mut finished = Process::start(&["compare", STRATEGY, "--steps", "40"], &runs);
    assert!(finished.0.wait().expect("it ends").success());

    let data = runs.with_extension("data");
    std::fs::create_dir_all(&data).expect("a folder for uploaded files");
    let folder = data.display().to_string();
    let serve = [
        "serve",
        "--bind",
        "127.0.0.1:0",
        "--json",
        "--data-dir",
        &folder,
    ];
    let mut server = Process::start(&serve, &runs);
    let mut told = String::new();
    let output = server.0.stdout.take().expect("the output is kept");
    BufReader::new(output)
        .read_line(&mut told)
        .expect("it says where it is");
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let address = told["url"].as_str().expect("an address");
    let address = address
        .trim_start_matches("http://")
        .trim_matches('/')
        .to_owned();

    let training = [
        "train",
        STRATEGY,
        "--optimizer",
        "adam",
        "--steps",
        "1000000",
    ];
    let training = Process::start(&training, &runs);
    let watched = loop {
        std::thread::sleep(Duration::from_millis(200));
        if let Some(run) = run_with(&runs, "progress.jsonl") {
            break run;
        }
    };
    let name = |run: &Path| {
        run.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let run = name(&run_with(&runs, "metrics.json").expect("it has results"));
    let page = format!("GET /runs/{run} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let page = (page, "</html>");
    let events = format!("/api/v1/runs/{}/events", name(&watched));
    let progress = watched.join("progress.jsonl");
    std::thread::sleep(Duration::from_secs(2));

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut changes = Vec::new();
    for turn in 1..=turns {
        let before = steps(&progress);
        let start = Instant::now();
        std::thread::sleep(Duration::from_secs_f64(seconds));
        let quiet = (steps(&progress) - before) as f64 / start.elapsed().as_secs_f64();

        let counts = Arc::new(Counts::default());
        runtime.block_on(async {
            let watchers: Vec<_> = (0..streams)
                .map(|_| tokio::spawn(watch(address.clone(), events.clone(), counts.clone())))
                .collect();
            // Everybody has the history before the clock starts.
            tokio::time::sleep(Duration::from_secs(2)).await;
            let (cpu, own) = (server.cpu_seconds(), cpu_seconds("self"));
            let (before, start) = (steps(&progress), Instant::now());
            let seen = counts.events.load(Ordering::Relaxed);
            let every = Duration::from_secs_f64(CONNECTIONS as f64 / rate);
            let askers: Vec<_> = (0..CONNECTIONS)
                .map(|index| {
                    let first = start + every.mul_f64(index as f64 / CONNECTIONS as f64);
                    tokio::spawn(ask(address.clone(), page.clone(), (first, every), counts.clone()))
                })
                .collect();
            let mut memory = vec![server.memory()];
            while start.elapsed().as_secs_f64() < seconds {
                tokio::time::sleep(Duration::from_secs(1)).await;
                memory.push(server.memory());
            }
            let wall = start.elapsed().as_secs_f64();
            let loaded = (steps(&progress) - before) as f64 / wall;
            changes.push(100.0 * (loaded / quiet - 1.0));
            let (cpu, own) = (server.cpu_seconds() - cpu, cpu_seconds("self") - own);
            let seen = counts.events.load(Ordering::Relaxed) - seen;
            counts.stop.store(true, Ordering::Relaxed);
            let mut latencies = Vec::new();
            for asker in askers {
                latencies.extend(asker.await.unwrap_or_default());
            }
            for watcher in watchers {
                watcher.abort();
            }
            latencies.sort_by(f64::total_cmp);
            let at = |share: f64| milliseconds(&latencies, share);
            let tenth = |part: usize| {
                let length = (memory.len() / 10).max(1);
                let from = if part == 0 { 0 } else { memory.len() - length };
                memory[from..from + length].iter().sum::<f64>() / length as f64
            };
            println!(
                "turn {turn}: {:.0} requests/s, p50 {:.1} ms, p99 {:.1} ms, greatest {:.0} ms; {} streams, {:.0} events/s; \
                 {} errors; training {quiet:.1} steps/s without, {loaded:.1} with load ({:+.1} %); server {:.2} cores, \
                 load {:.2} cores; memory of the server {:.1} MB in the first tenth, {:.1} in the last, {:.1} at most",
                latencies.len() as f64 / wall,
                at(0.5),
                at(0.99),
                at(1.0),
                counts.open.load(Ordering::Relaxed),
                seen as f64 / wall,
                counts.errors.load(Ordering::Relaxed),
                100.0 * (loaded / quiet - 1.0),
                cpu / wall,
                own / wall,
                tenth(0),
                tenth(1),
                memory.iter().copied().fold(0.0, f64::max),
            );
        });
    }
    let count = changes.len() as f64;
    let mean = changes.iter().sum::<f64>() / count;
    let spread: f64 = changes.iter().map(|change| (change - mean).powi(2)).sum();
    let error = (spread / (count - 1.0) / count).sqrt();
    println!("training with load: {mean:+.1} % ± {error:.1} % (one standard error over turns)");
    let prices = uploaded(&address);
    let beside = |what| hedge(address.clone(), &run, &prices, seconds, what);
    runtime.block_on(beside("a training of the command line"));
    drop(training);
    queue(&address);
    std::thread::sleep(Duration::from_secs(2));
    runtime.block_on(beside("a job of the server"));
    drop(server);
    for folder in [runs, data] {
        let _ = std::fs::remove_dir_all(folder);
    }
}
