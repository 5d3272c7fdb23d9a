//! The shelf: networks and data sets, loaded once, shared by the labs. Beyond a fixed room, what was
//! asked for longest ago goes.

use std::any::Any;
use std::rc::Rc;

use burn::module::Module;
use burn::tensor::Device;

use crate::data::pack::Pack;
use crate::job::Job;
use crate::models::Row;
use crate::protocol::card::{WeightsFile, find_file};
use crate::protocol::failure::Failure;

use super::weights;

/// Bytes of weights files that are kept: more than any lab needs at once. A network takes about twice
/// its file, whose numbers have half the size.
const ROOM: usize = 96_000_000;

/// What is kept of a file.
struct Kept {
    name: String,
    bytes: usize,
    /// The labs that asked for it, by name.
    users: Vec<&'static str>,
    /// An `Rc` of the network or of the pack.
    content: Box<dyn Any>,
}

/// Networks and data sets by the names of their manifest entries.
pub struct Shelf {
    device: Device,
    files: &'static [WeightsFile],
    /// The one that was asked for last stands last.
    kept: Vec<Kept>,
    room: usize,
    /// The lab that asks now.
    user: &'static str,
}

impl Shelf {
    /// An empty shelf for a device.
    pub fn new(device: Device, files: &'static [WeightsFile]) -> Self {
        Self {
            device,
            files,
            kept: Vec::new(),
            room: ROOM,
            user: "",
        }
    }

    /// What is asked for from now on is for the lab of that name.
    pub fn serve(&mut self, user: &'static str) {
        self.user = user;
    }

    /// Puts away what no other lab than this one asked for.
    pub fn release(&mut self, user: &str) {
        self.kept.retain_mut(|kept| {
            kept.users.retain(|of| *of != user);
            !kept.users.is_empty()
        });
    }

    /// The device that networks are loaded to.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// A network: fetched, verified and filled if it is not there yet.
    ///
    /// # Errors
    /// Those of [`weights::fetch`] and [`weights::fill`].
    pub async fn get<R: Row>(&mut self, job: &Job<'_>, row: &R) -> Result<Rc<R::Module>, Failure> {
        if let Some(network) = self.find(row.name()) {
            return Ok(network);
        }
        let file = find_file(self.files, row.name())?;
        let bytes = weights::fetch(job.host(), file).await?;
        let network = weights::fill(row.blank(&self.device), row.name(), bytes)?;
        Ok(self.put(row.name(), file.bytes, network))
    }

    /// A part of a data set.
    ///
    /// # Errors
    /// Those of [`weights::fetch`] and [`Pack::parse`].
    pub async fn pack(&mut self, job: &Job<'_>, name: &str) -> Result<Rc<Pack>, Failure> {
        if let Some(pack) = self.find(name) {
            return Ok(pack);
        }
        let file = find_file(self.files, name)?;
        let bytes = weights::fetch(job.host(), file).await?;
        let pack = Pack::parse(name, &bytes)?;
        Ok(self.put(name, file.bytes, pack))
    }

    /// Puts weights of the visitor's into a network of a known kind, and keeps it under a name. What
    /// had that name before is put away.
    ///
    /// # Errors
    /// [`Failure::WeightsOfAnother`] where the file does not fill the network; nothing changes then.
    pub fn place<M: Module + 'static>(
        &mut self,
        name: &str,
        blank: M,
        bytes: Vec<u8>,
    ) -> Result<Rc<M>, Failure> {
        let size = bytes.len();
        let network = weights::fill(blank, name, bytes).map_err(|_| Failure::WeightsOfAnother)?;
        self.kept.retain(|kept| kept.name != name);
        Ok(self.put(name, size, network))
    }

    /// What is kept under a name, if it is of that type.
    pub fn find<T: 'static>(&mut self, name: &str) -> Option<Rc<T>> {
        let position = self.kept.iter().position(|kept| kept.name == name)?;
        let mut kept = self.kept.remove(position);
        if !kept.users.contains(&self.user) {
            kept.users.push(self.user);
        }
        let content = kept.content.downcast_ref::<Rc<T>>().cloned();
        self.kept.push(kept);
        content
    }

    fn put<T: 'static>(&mut self, name: &str, bytes: usize, content: T) -> Rc<T> {
        let content = Rc::new(content);
        self.kept.push(Kept {
            name: name.into(),
            bytes,
            users: vec![self.user],
            content: Box::new(content.clone()),
        });
        // What was asked for longest ago goes first; the newest stays, however large.
        while self.kept.len() > 1
            && self.kept.iter().map(|kept| kept.bytes).sum::<usize>() > self.room
        {
            self.kept.remove(0);
        }
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(room: usize) -> Shelf {
        let mut shelf = Shelf::new(Device::flex(), &[]);
        shelf.room = room;
        shelf
    }

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let mut shelf = shelf(10);
        shelf.put("a", 4, 1u8);
        shelf.put("b", 4, 2u8);
        assert_eq!(shelf.find::<u8>("a").as_deref(), Some(&1));
        shelf.put("c", 4, 3u8);
        assert_eq!(shelf.find::<u8>("b"), None);
        assert_eq!(shelf.find::<u8>("a").as_deref(), Some(&1));
        shelf.put("large", 99, 4u8);
        assert_eq!(shelf.find::<u8>("large").as_deref(), Some(&4));
        assert_eq!(shelf.find::<u8>("a"), None);
    }

    #[test]
    fn what_two_labs_use_stays_until_neither_does() {
        let mut shelf = shelf(10);
        shelf.serve("one");
        shelf.put("a", 1, 1u8);
        shelf.put("b", 1, 2u8);
        shelf.serve("two");
        assert_eq!(shelf.find::<u8>("a").as_deref(), Some(&1));
        shelf.release("one");
        assert_eq!(shelf.find::<u8>("b"), None);
        assert_eq!(shelf.find::<u8>("a").as_deref(), Some(&1));
        shelf.release("two");
        assert_eq!(shelf.find::<u8>("a"), None);
    }

    #[test]
    fn a_name_of_another_type_is_not_found() {
        let mut shelf = shelf(10);
        shelf.put("a", 1, 1u8);
        assert_eq!(shelf.find::<u16>("a"), None);
        assert_eq!(shelf.find::<u8>("a").as_deref(), Some(&1));
    }
}
