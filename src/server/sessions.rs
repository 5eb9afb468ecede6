//! Who has logged in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long a session lasts after it was last used, and in all.
const UNUSED: Duration = Duration::from_secs(12 * 3600);
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// Sessions at a time; the one that was not used longest makes room.
const MOST: usize = 1000;

#[derive(Debug, Clone, Copy)]
struct Session {
    begun: Instant,
    used: Instant,
}

impl Session {
    fn lasts(&self, now: Instant) -> bool {
        let since = |then| now.saturating_duration_since(then);
        since(self.used) < UNUSED && since(self.begun) < LONGEST
    }
}

/// Sessions by their ids, which are in memory alone: they end with the server.
#[derive(Debug, Default)]
pub struct Sessions(HashMap<String, Session>);

impl Sessions {
    /// Begins a session; its id is 256 random bits of the system, in hexadecimal digits.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn begin(&mut self, now: Instant) -> Result<String, getrandom::Error> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let id: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        self.0.retain(|_, session| session.lasts(now));
        if self.0.len() >= MOST {
            let oldest = self.0.iter().min_by_key(|(_, session)| session.used);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.0.remove(&oldest);
            }
        }
        let session = Session {
            begun: now,
            used: now,
        };
        self.0.insert(id.clone(), session);
        Ok(id)
    }

    /// Whether the session goes on, which it then does for longer.
    pub fn goes_on(&mut self, id: &str, now: Instant) -> bool {
        match self.0.get_mut(id) {
            Some(session) if session.lasts(now) => {
                session.used = now;
                true
            }
            Some(_) => {
                self.0.remove(id);
                false
            }
            None => false,
        }
    }

    /// Ends the session of that id.
    pub fn end(&mut self, id: &str) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A session goes on while it is used, for a week; it ends when it was not used for half a day, and when told to.
    #[test]
    fn sessions_end() {
        let mut sessions = Sessions::default();
        let start = Instant::now();
        let [used, unused, ended] = [0; 3].map(|_| sessions.begin(start).unwrap());
        assert!(used.len() == 64 && used != unused);
        let mut now = start;
        sessions.end(&ended);
        assert!(!sessions.goes_on(&ended, now));
        assert!(!sessions.goes_on("", now));
        while now + UNUSED < start + LONGEST {
            now += UNUSED - MINUTE;
            assert!(sessions.goes_on(&used, now));
        }
        assert!(!sessions.goes_on(&unused, now));
        assert!(!sessions.goes_on(&used, start + LONGEST));
        assert!(sessions.0.is_empty());
    }

    #[test]
    fn sessions_are_bounded() {
        let mut sessions = Sessions::default();
        let start = Instant::now();
        let first = sessions.begin(start).unwrap();
        let second = sessions.begin(start).unwrap();
        assert!(sessions.goes_on(&first, start + MINUTE));
        for _ in 2..=MOST {
            sessions.begin(start + MINUTE).unwrap();
        }
        assert_eq!(sessions.0.len(), MOST);
        assert!(sessions.goes_on(&first, start + MINUTE));
        assert!(!sessions.goes_on(&second, start + MINUTE));
    }
}
