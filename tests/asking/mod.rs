//! The engine through its front door, on the weights that ship.

use std::cell::RefCell;

use burn::tensor::Device;
use kiln::engine::native_host::NativeHost;
use kiln::engine::runner::Engine;
use kiln::job::{Reply, Request};
use kiln::labs;
use kiln::protocol::card::FILES;
use kiln::protocol::failure::Failure;
use kiln::protocol::message::Event;
use kiln::protocol::settings::Settings;
use serde::Serialize;

/// The engine, asked as the page asks it.
pub struct Page(RefCell<Engine>);

impl Page {
    /// With all labs, on the CPU.
    pub fn open() -> Self {
        let labs = labs::engines();
        let engine = Engine::new(Device::flex(), "cpu", FILES, &labs);
        Self(RefCell::new(engine))
    }

    /// The answer to a request that may hold files.
    pub fn send(&self, request: Request) -> Result<Reply, Failure> {
        self.hear(request, |_, _| {})
    }

    /// The same; `on_says` hears what is said on the way, after so many steps.
    pub fn hear(
        &self,
        request: Request,
        on_says: impl Fn(u32, Reply) + 'static,
    ) -> Result<Reply, Failure> {
        let host = NativeHost::new("weights", move |event, says| {
            if let Event::Steps { done, .. } = event {
                on_says(done, says);
            }
        });
        let mut engine = self.0.borrow_mut();
        let (reply, _) = pollster::block_on(engine.answer(&host, request))?;
        Ok(reply)
    }

    /// The answer to a question, or why there is none.
    pub fn try_ask(&self, question: impl Serialize, settings: &Settings) -> Result<Reply, Failure> {
        self.send(Request::new(&question, settings))
    }

    /// The answer to a question.
    pub fn ask(&self, question: impl Serialize, settings: &Settings) -> Reply {
        self.try_ask(question, settings).expect("an answer")
    }
}
