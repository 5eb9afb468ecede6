use super::Work;
use super::failure::{Failure, stopped};
use super::formation::formation;
use super::keeper::Report;
use super::led::Leader;
use super::message::{Assignment, Order, send};
use super::office::Office;
use super::seat::{Follower, Seat};
use crate::distributed::{Portable, Ranks};
use crate::error::Result;
use crate::runs::progress::Event;
use crate::runs::store::RunFolder;
use serde::de::DeserializeOwned;

/// All ranks that carry a run out, as one of them sees them: rank 0 with the run's folder, or one of the others.
///
/// All ranks call the same functions in the same order.
pub struct Crew<'a> {
    world: Ranks,
    post: Post<'a>,
}

enum Post<'a> {
    First(Office<'a>),
    Other(Seat<'a>),
}

impl<'a> Crew<'a> {
    /// Rank 0, which carries out the run in `folder` and tells `report` of every step. It holds the run from now on.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if another process is carrying the run out; [`crate::Error::File`].
    pub fn first(world: &Ranks, folder: &'a RunFolder, report: &'a mut Report<'a>) -> Result<Self> {
        Ok(Self {
            world: world.clone(),
            post: Post::First(Office::open(folder, report)?),
        })
    }

    /// Another rank, which asks `stop` between steps whether to go on.
    pub fn other(world: &Ranks, stop: &'a dyn Fn() -> Result<()>) -> Self {
        Self {
            world: world.clone(),
            post: Post::Other(Seat::new(stop)),
        }
    }

    /// Rank 0 has all others take part in a run.
    pub fn call(&self, assignment: impl FnOnce() -> Assignment) {
        if !self.world.is_alone() && self.world.is_first() {
            let order = Order::TakePart(Box::new(assignment()));
            (1..self.world.size()).for_each(|rank| send(&self.world, rank, &order, &[]));
        }
    }

    /// All ranks.
    pub fn world(&self) -> &Ranks {
        &self.world
    }

    /// Does every piece of `work` that the run does not have yet, in groups of at least so many ranks `each`, or in as many groups
    /// as there are ranks or pieces. The results of the pieces that were done now, the same on all ranks.
    ///
    /// # Errors
    /// [`crate::Error::Stopped`] if the run was asked to stop; the first error of a piece, after which the others stop at checkpoints.
    pub fn each(&mut self, work: &dyn Work, each: Option<usize>) -> Result<Vec<Option<Vec<u8>>>> {
        let pieces = work.pieces();
        let open: Vec<usize> = self.first_says(|office| {
            let mut open = Vec::new();
            for piece in 0..pieces {
                if !work.is_done(piece, office.folder)? {
                    open.push(piece);
                }
            }
            Ok(serde_json::to_vec(&open).expect("numbers have a form in JSON"))
        })?;
        if open.is_empty() {
            return Ok(vec![None; pieces]);
        }
        let groups = formation(self.world.size(), open.len(), each);
        let rank = self.world.rank();
        let own = groups.iter().position(|group| group.contains(&rank));
        let group = match self.world.is_alone() {
            true => self.world.clone(),
            false => self.world.split(own.expect("every rank is in a group")),
        };
        let ranks = (&self.world, group);
        match &mut self.post {
            Post::First(office) => Leader::new(office, work, ranks, groups, open).lead(),
            Post::Other(seat) => Follower::new(seat, work, ranks).follow(),
        }
    }

    /// Whether to go on, on all ranks, while all of them do the same.
    ///
    /// # Errors
    /// [`crate::Error::Stopped`] on all ranks if any was asked to stop.
    pub fn busy(&mut self) -> Result<()> {
        let own = self.own_busy();
        if self.world.any(own.is_err()) {
            own?;
            return Err(stopped());
        }
        Ok(())
    }

    fn own_busy(&mut self) -> Result<()> {
        match &mut self.post {
            Post::First(office) => office.busy(),
            Post::Other(seat) => seat.check(),
        }
    }

    /// Does what every rank does for itself, and may take more of one than of another; it is given whom to ask whether to go on.
    ///
    /// # Errors
    /// Those of `work`; on all ranks if there is one on any.
    pub fn on_every_rank<T>(
        &mut self,
        work: impl FnOnce(&mut dyn FnMut() -> Result<()>) -> Result<T>,
    ) -> Result<T> {
        let own = work(&mut || self.own_busy());
        if self.world.is_alone() {
            return own;
        }
        let failure = own.as_ref().err().map(Failure::from);
        let failure = serde_json::to_vec(&failure).expect("failures have a form in JSON");
        let all = self.world.gather(&failure);
        let value = own?;
        for (rank, failure) in all.iter().enumerate() {
            if let Some(failure) = expected::<Option<Failure>>(failure) {
                return Err(failure.on_rank(rank).error());
            }
        }
        Ok(value)
    }

    /// The same JSON value on all ranks, which rank 0 finds.
    fn first_says<T: DeserializeOwned>(
        &self,
        find: impl FnOnce(&Office<'a>) -> Result<Vec<u8>>,
    ) -> Result<T> {
        self.first_says_bytes(find).map(|bytes| expected(&bytes))
    }

    /// The same bytes on all ranks, which rank 0 finds.
    fn first_says_bytes(
        &self,
        find: impl FnOnce(&Office<'a>) -> Result<Vec<u8>>,
    ) -> Result<Vec<u8>> {
        let own = match &self.post {
            Post::First(office) => find(office),
            Post::Other(_) => Ok(Vec::new()),
        };
        if self.world.is_alone() {
            return own;
        }
        let (is_found, bytes) = match &own {
            Ok(bytes) => (true, bytes.clone()),
            Err(error) => {
                let failure = serde_json::to_vec(&Failure::from(error));
                (false, failure.expect("failures have a form in JSON"))
            }
        };
        let is_found = self.world.broadcast(0, is_found);
        let bytes = self.world.broadcast(0, bytes);
        match is_found {
            true => Ok(bytes),
            false => Err(own
                .err()
                .unwrap_or_else(|| expected::<Failure>(&bytes).error())),
        }
    }

    /// A value on all ranks that rank 0 alone finds, in numbers; the others wait.
    ///
    /// # Errors
    /// Those of `find`, on all ranks.
    pub fn from_first(
        &self,
        find: impl FnOnce() -> Result<Vec<Vec<f64>>>,
    ) -> Result<Vec<Vec<f64>>> {
        let bytes = self.first_says_bytes(|_| Ok(find()?.to_bytes()))?;
        Ok(Portable::from_bytes(&bytes))
    }

    /// A file of the run, on all ranks; none if it is not there.
    ///
    /// # Errors
    /// [`crate::Error::File`] if it is there but cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let mut found = self.first_says_bytes(|office| {
            // The first byte says whether the file is there.
            let bytes = office.folder.read_bytes(name)?;
            let mut found = vec![u8::from(bytes.is_some())];
            found.extend(bytes.unwrap_or_default());
            Ok(found)
        })?;
        let is_there = found.remove(0) != 0;
        Ok(is_there.then_some(found))
    }

    /// Has rank 0 do what only it does, such as to write a file of the run; the others wait.
    ///
    /// # Errors
    /// Those of `work`, on all ranks.
    pub fn on_first(&self, work: impl FnOnce(&RunFolder) -> Result<()>) -> Result<()> {
        self.first_says_bytes(|office| work(office.folder).map(|()| Vec::new()))?;
        Ok(())
    }

    /// Adds a line to the progress file.
    ///
    /// # Errors
    /// [`crate::Error::File`] if the file cannot be written.
    pub fn event(&mut self, event: &Event) -> Result<()> {
        match &mut self.post {
            Post::First(office) => office.event(event),
            Post::Other(_) => Ok(()),
        }
    }

    /// Writes how the run ended into the progress file.
    ///
    /// # Errors
    /// [`crate::Error::File`] if the file cannot be written.
    pub fn end<T>(&mut self, result: &Result<T>) -> Result<()> {
        match &mut self.post {
            Post::First(office) => office.end(result),
            Post::Other(_) => Ok(()),
        }
    }
}

/// A value that another rank has written.
fn expected<T: DeserializeOwned>(bytes: &[u8]) -> T {
    serde_json::from_slice(bytes).expect("ranks run the same program")
}
