use super::connections::{Limits, serve};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use tokio::sync::watch;

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(3600);

/// A server with its own runtime; it ends with the test.
struct Running {
    address: SocketAddr,
    end: watch::Sender<bool>,
    runtime: tokio::runtime::Runtime,
    served: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ending) = watch::channel(false);
        let watched = end.subscribe();
        let ticks = get(move || async move {
            let ticks = futures_util::stream::unfold(watched, |mut ending| async move {
                tokio::select! {
                    () = tokio::time::sleep(SHORT / 2) => {}
                    _ = ending.wait_for(|ending| *ending) => return None,
                }
                let tick = Ok::<_, std::io::Error>(Bytes::from_static(b"tick\n"));
                Some((tick, ending))
            });
            Body::from_stream(ticks)
        });
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/large", get(|| async { vec![b'x'; 64 << 20] }))
            .route("/sent", post(|sent: String| async { sent }))
            .route("/ticks", ticks);
        let served = runtime.spawn(serve(listener, router, limits, ending));
        Self {
            address,
            end,
            runtime,
            served,
        }
    }

    fn connect(&self, sent: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        stream
    }

    fn get(&self, path: &str) -> TcpStream {
        self.connect(&format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        ))
    }

    fn is_answered(&self) -> bool {
        read(&mut self.get("/")).ends_with("here")
    }

    /// Ends the server, and waits for its end.
    fn stop(self) {
        self.end.send_replace(true);
        self.runtime.block_on(self.served).unwrap();
    }
}

/// All that comes until the connection is closed.
fn read(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A connection that is closed with unread bytes is reset.
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn limits(connections: usize, head: Duration, silence: Duration) -> Limits {
    Limits {
        connections,
        head,
        silence,
    }
}

/// Half a head, no head, and no second request after an answer: the connection is closed.
#[test]
fn unfinished_requests_are_closed() {
    let server = Running::start(limits(100, SHORT, LONG));
    for sent in ["", "GET", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        assert_eq!(read(&mut server.connect(sent)), "", "{sent}");
    }
    let mut kept = server.connect("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(read(&mut kept).ends_with("here"));
    server.stop();
}

/// A body that does not come, and an answer that nobody reads: the connection is closed, while a stream goes on that says
/// something now and then.
#[test]
fn silent_connections_are_closed_and_streams_are_not() {
    let server = Running::start(limits(2, LONG, 4 * SHORT));
    let mut stream = server.get("/ticks");
    let sent = "POST /sent HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf";
    assert!(!read(&mut server.connect(sent)).contains("200 OK"));
    let large = server.get("/large");
    // There is one other place, and it is taken until that connection is closed.
    assert!(server.is_answered());
    let mut kept = String::new();
    let mut buffer = [0; 64];
    while kept.matches("tick").count() < 40 {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "{kept}");
        kept.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    drop(large);
    server.stop();
}

/// What nobody has read yet is not cut off to make room.
#[test]
fn answers_are_sent_whole() {
    let server = Running::start(limits(2, LONG, LONG));
    let mut large = server.get("/large");
    let mut first = [0; 12];
    large.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    for _ in 0..10 {
        assert!(server.is_answered());
    }
    let whole = read(&mut large);
    assert_eq!(whole.matches('x').count(), 64 << 20);
    server.stop();
}

/// More connections than there may be: who comes is answered, in the place of those that have waited longest.
#[test]
fn waiting_connections_make_room() {
    let server = Running::start(limits(4, LONG, LONG));
    let mut held: Vec<TcpStream> = (0..20).map(|_| server.connect("GET / HTT")).collect();
    for _ in 0..10 {
        assert!(server.is_answered());
    }
    assert_eq!(read(&mut held[0]), "");
    // What is being answered keeps its place.
    let mut stream = server.get("/ticks");
    let mut first = [0; 8];
    stream.read_exact(&mut first).unwrap();
    held.extend((0..20).map(|_| server.connect("GET / HTT")));
    assert!(server.is_answered());
    stream.read_exact(&mut [0; 200]).unwrap();
    server.stop();
    // The stream ends with the server, and is whole.
    assert!(read(&mut stream).ends_with("0\r\n\r\n"));
}

/// Connections that wait, or have sent half a request, do not hold the end up.
#[test]
fn waiting_connections_end_with_the_server() {
    let server = Running::start(limits(10, LONG, LONG));
    let mut waiting = ["", "GET / HTT"].map(|sent| server.connect(sent));
    let address = server.address;
    assert!(server.is_answered());
    server.stop();
    for waiting in &mut waiting {
        assert_eq!(read(waiting), "");
    }
    assert!(TcpStream::connect(address).is_err());
}
