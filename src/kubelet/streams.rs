//! What a container writes, handed on as it comes.

use std::rc::Rc;

use super::logs::{cut, most_bytes, text_of};
use super::{Kubelet, Out};
use crate::api::logs::LogQuery;
use crate::api::request::{Answer, Change, RequestId, WatchEvent};
use crate::api::status::StatusError;
use crate::runtime::{CallId, CriError, CriResponse, LogLine};
use crate::sim::Ctx;

/// Who hears what a container writes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listener {
    /// The number under which the API server has asked.
    pub id: RequestId,
    /// Whether the answer has begun.
    pub is_open: bool,
    pub query: Rc<LogQuery>,
    /// So many bytes may still be told.
    pub left: usize,
}

impl Listener {
    /// Of a log.
    pub fn of_log(id: RequestId, query: Rc<LogQuery>) -> Self {
        Self { id, is_open: false, left: most_bytes(&query), query }
    }
}

impl Kubelet {
    /// The runtime goes on with a call.
    pub(super) fn wrote(&mut self, ctx: &mut Ctx<'_, Self>, call: CallId, lines: &[LogLine]) {
        let epoch = self.shared.epoch;
        let Some(listener) = self.shared.listener(call) else { return };
        let id = listener.id;
        if !listener.is_open {
            listener.is_open = true;
            Self::reply(ctx, id, Ok(Answer::Streaming));
        }
        let mut text = text_of(lines, listener.query.timestamps, epoch);
        let is_full = text.len() >= listener.left;
        cut(&mut text, listener.left);
        listener.left -= text.len();
        if !text.is_empty() {
            tell(ctx, id, Change::Output(text.into()));
        }
        if is_full {
            self.shared.cancel(ctx, id);
            tell(ctx, id, Change::Ended);
        }
    }

    /// Nothing more will be written.
    pub(super) fn written(
        ctx: &mut Ctx<'_, Self>,
        listener: &Listener,
        result: Result<CriResponse, CriError>,
    ) {
        match result {
            Err(error) if !listener.is_open => {
                Self::reply(ctx, listener.id, Err(StatusError::internal(error)));
            }
            Ok(_) | Err(_) => tell(ctx, listener.id, Change::Ended),
        }
    }

    /// Nobody hears the answer to what was asked as `id` any more.
    pub(super) fn hung_up(&mut self, ctx: &mut Ctx<'_, Self>, id: RequestId) {
        self.shared.cancel(ctx, id);
    }
}

fn tell(ctx: &mut Ctx<'_, Kubelet>, watch: RequestId, change: Change) {
    ctx.send(Out::Told(WatchEvent { watch, change }));
}
