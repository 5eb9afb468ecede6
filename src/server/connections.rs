//! Connections: how many there are at a time, and how long they may be silent.

use super::access::Peer;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::{Instant, Sleep, sleep, timeout};

/// Bounds on connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time. One more takes the place of the one that has waited longest for a request, or waits itself
    /// where all are being answered.
    pub connections: usize,
    /// How long a connection may wait for a request, its head included.
    pub head: Duration,
    /// How long a connection may pass without a byte either way.
    pub silence: Duration,
}

impl Limits {
    /// Streams of events at a time: half of the connections are left for everything else.
    pub fn streams(&self) -> usize {
        const MOST: usize = 512;
        MOST.min(self.connections.div_ceil(2))
    }
}

/// Bounds for as many connections, or else for as many as the system's limit of open files leaves room for.
pub fn limits(connections: Option<usize>) -> Limits {
    const MOST: usize = 1024;
    const LEAST: usize = 16;
    /// Files that runs, the index, jobs and the process itself need.
    const OTHERS: usize = 64;
    let wanted = connections.unwrap_or(MOST) + OTHERS;
    // A limit that cannot be read or raised is met when a connection is accepted.
    let files = rlimit::increase_nofile_limit(wanted as u64).unwrap_or(wanted as u64);
    let room = usize::try_from(files).map_or(MOST, |files| files.saturating_sub(OTHERS));
    Limits {
        connections: connections.unwrap_or(room.clamp(LEAST, MOST)),
        head: Duration::from_secs(15),
        silence: Duration::from_secs(60),
    }
}

/// Answers requests until `ending` says so; answers under way may then take a few seconds more.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut ending: watch::Receiver<bool>,
) {
    /// How long answers under way may take at the end of the server.
    const LAST_ANSWERS: Duration = Duration::from_secs(5);
    /// After a connection could not be accepted, for want of files or memory.
    const LATER: Duration = Duration::from_millis(100);
    let mut open = Open::default();
    let mut stop = ending.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(ended) = open.tasks.join_next_with_id() => {
                open.forget(ended);
                continue;
            }
            _ = stop.wait_for(|ending| *ending) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                tokio::select! {
                    () = open.make_room(limits.connections) => {}
                    _ = ending.wait_for(|ending| *ending) => break,
                }
                open.add(|place| {
                    connection(stream, peer, router.clone(), limits, place, ending.clone())
                });
            }
            Err(error) if is_of_the_peer(&error) => {}
            Err(_) => {
                open.close_idle();
                sleep(LATER).await;
            }
        }
    }
    drop(listener);
    while open.close_idle() {}
    let last = async { while open.tasks.join_next().await.is_some() {} };
    // Connections that do not end by themselves are closed.
    let _ = timeout(LAST_ANSWERS, last).await;
}

/// Whether a connection was lost before it was accepted, which says nothing about the next one.
fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// The connections that there are.
#[derive(Default)]
struct Open {
    tasks: JoinSet<()>,
    places: HashMap<Id, (AbortHandle, Arc<Place>)>,
    /// A connection waits for a request again.
    idle: Arc<Notify>,
}

impl Open {
    fn add<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        connection: impl FnOnce(Arc<Place>) -> F,
    ) {
        let place = Arc::new(Place {
            idle: self.idle.clone(),
            state: Mutex::new(State {
                requests: 0,
                is_writing: false,
                since: Instant::now(),
            }),
        });
        let task = self.tasks.spawn(connection(place.clone()));
        self.places.insert(task.id(), (task, place));
    }

    fn forget(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.places.remove(&id);
    }

    /// Closes the connection that has waited longest for a request, if one waits.
    fn close_idle(&mut self) -> bool {
        let waiting = self.places.values();
        let waiting = waiting.filter_map(|(task, place)| Some((place.idle_since()?, task)));
        let longest = waiting.min_by_key(|(since, _)| *since);
        let task = longest.map(|(_, task)| task.clone());
        if let Some(task) = &task {
            task.abort();
            self.places.remove(&task.id());
        }
        task.is_some()
    }

    /// Returns once there are fewer than `most` connections.
    async fn make_room(&mut self, most: usize) {
        while self.places.len() >= most {
            let idle = self.idle.clone();
            let news = idle.notified();
            if self.close_idle() {
                continue;
            }
            tokio::select! {
                Some(ended) = self.tasks.join_next_with_id() => self.forget(ended),
                () = news => {}
            }
        }
    }
}

/// What a connection is about.
struct Place {
    idle: Arc<Notify>,
    state: Mutex<State>,
}

struct State {
    /// Requests whose answers are being made.
    requests: usize,
    /// Whether a part of an answer waits to be sent.
    is_writing: bool,
    /// When the connection was made, or the last of an answer was sent.
    since: Instant,
}

impl Place {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when the connection has waited for a request, if it waits.
    fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.requests == 0 && !state.is_writing).then_some(state.since)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        state.since = Instant::now();
        drop(state);
        self.idle.notify_waiters();
    }

    fn writes(&self, is_writing: bool) {
        if self.state().is_writing != is_writing {
            self.change(|state| state.is_writing = is_writing);
        }
    }
}

/// A request that is being answered, until its answer is made or given up.
struct Busy(Arc<Place>);

impl Busy {
    fn new(place: Arc<Place>) -> Self {
        place.state().requests += 1;
        Self(place)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.change(|state| state.requests -= 1);
    }
}

/// The body of an answer, which keeps its connection's place until all of it is made.
struct Answer {
    body: Body,
    _busy: Busy,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    place: Arc<Place>,
    mut ending: watch::Receiver<bool>,
) {
    /// Longest head of a request.
    const HEAD: usize = 64 << 10;
    // Events are short, and wanted at once.
    let _ = stream.set_nodelay(true);
    let stream = Heard::new(stream, limits.silence, place.clone());
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let busy = Busy::new(place.clone());
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        let answer = router.call(request);
        async move {
            let answer = answer.await?;
            Ok::<_, std::convert::Infallible>(answer.map(|body| Answer { body, _busy: busy }))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = ending.wait_for(|ending| *ending) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// A stream that fails when nothing was read or written for too long.
struct Heard {
    stream: TcpStream,
    silence: Duration,
    deadline: Pin<Box<Sleep>>,
    place: Arc<Place>,
}

impl Heard {
    fn new(stream: TcpStream, silence: Duration, place: Arc<Place>) -> Self {
        Self {
            stream,
            silence,
            deadline: Box::pin(sleep(silence)),
            place,
        }
    }

    /// What an operation has come to; if it waits, whether it has waited for too long.
    fn heard<T>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            let next = Instant::now() + self.silence;
            self.deadline.as_mut().reset(next);
            return result;
        }
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.heard(context, result)
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.place.writes(result.is_pending());
        self.heard(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.place.writes(result.is_pending());
        self.heard(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
