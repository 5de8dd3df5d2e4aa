//! `podflow.fetch`: the REST API with the browser's own `Response`.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Object, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsError, JsValue};
use web_sys::{Headers, ReadableStream, ResponseInit};

use super::Host;
use super::drive::breathe;
use super::events::{self, Listeners, Pen};
use crate::api::caller::Credentials;
use crate::api::request::Answer;
use crate::cluster::{HttpCall, HttpReply, Specs};

#[wasm_bindgen(inline_js = "
export class Unwritten extends Response {
  #write;
  #written;
  constructor(status, write) {
    super(null, { status });
    this.#write = write;
  }
  static {
    const written = (it) => (it.#written ??= it.#write());
    for (const name of ['arrayBuffer', 'blob', 'bytes', 'clone', 'formData', 'json', 'text']) {
      this.prototype[name] = function () { return written(this)[name](); };
    }
    for (const name of ['body', 'bodyUsed', 'headers']) {
      Object.defineProperty(this.prototype, name, { get() { return written(this)[name]; } });
    }
  }
}")]
extern "C" {
    /// A `Response` that is written when somebody looks at more than its status. Who creates a thousand
    /// Pods does not.
    type Unwritten;

    #[wasm_bindgen(constructor)]
    fn new(status: u16, write: JsValue) -> Unwritten;
}

#[wasm_bindgen]
extern "C" {
    /// What a script says of a request. Such getters pass no names, as `Reflect` does with each.
    #[wasm_bindgen(extends = Object)]
    type Init;

    #[wasm_bindgen(method, getter, catch)]
    fn method(this: &Init) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, getter, catch)]
    fn headers(this: &Init) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, getter, catch)]
    fn body(this: &Init) -> Result<JsValue, JsValue>;
}

/// A list of more objects is written in a task of its own.
const LONG_LIST: usize = 100;

/// Sends one request and waits for its answer. A watch, or a log that is followed,
/// resolves once it is open, and streams.
pub(super) async fn fetch(
    host: &Host,
    listeners: &Rc<RefCell<Listeners>>,
    path: &str,
    init: Option<&Object>,
) -> Result<JsValue, JsValue> {
    host.turn().await;
    let call = read_call(path, init, &mut host.specs.borrow_mut())?;
    let id = host.session.borrow_mut().submit(call);
    let response = host.answer(id).await?;
    if matches!(&response.result, Ok(Answer::List { items, .. }) if items.len() > LONG_LIST) {
        breathe().await?;
    }
    let Some(answer) = host.session.borrow().cluster().unwritten(id) else {
        return Err(JsError::new("fetch: the answer is lost").into());
    };
    if matches!(response.result, Ok(Answer::Watching | Answer::Streaming { .. })) {
        let (stream, push) = text_stream()?;
        events::stream(listeners, id, push);
        let head = head_of(&answer.write())?;
        return web_sys::Response::new_with_opt_readable_stream_and_init(Some(&stream), &head)
            .map(Into::into);
    }
    let write = move || {
        let reply = answer.write();
        let head = head_of(&reply)?;
        let body = Some(reply.body.as_str()).filter(|body| !body.is_empty());
        web_sys::Response::new_with_opt_str_and_init(body, &head)
    };
    Ok(Unwritten::new(response.code(), Closure::once_into_js(write)).into())
}

/// What stands before the body.
fn head_of(reply: &HttpReply) -> Result<ResponseInit, JsValue> {
    let headers = Headers::new()?;
    headers.set("content-type", reply.content_type)?;
    for (name, value) in &reply.headers {
        headers.append(name, value)?;
    }
    let head = ResponseInit::new();
    head.set_status(reply.code);
    head.set_headers(&headers);
    Ok(head)
}

fn read_call(path: &str, init: Option<&Object>, specs: &mut Specs) -> Result<HttpCall, JsValue> {
    if !path.starts_with('/') {
        return Err(JsError::new("fetch: a path, beginning with /").into());
    }
    let Some(init) = init else {
        return Ok(HttpCall::get(path));
    };
    let init: &Init = init.unchecked_ref();
    let method = init.method()?.as_string().unwrap_or_else(|| "GET".to_owned());
    let mut call = HttpCall::new(&method.to_ascii_uppercase(), path, None);
    let headers = init.headers()?;
    if headers.is_object() {
        let headers = Headers::new_with_record_from_str_to_str(headers.unchecked_ref())?;
        if let Some(kind) = headers.get("content-type")? {
            call.content_type = kind.into();
        }
        if let Some(accept) = headers.get("accept")? {
            call.accept = accept.into();
        }
        // Who shows something comes through the door at which it is looked at.
        let (shown, user) = (headers.get("authorization")?, headers.get("impersonate-user")?);
        if shown.is_some() || user.is_some() {
            let groups = headers.get("impersonate-group")?.unwrap_or_default();
            let groups = groups.split(',').map(str::trim).filter(|group| !group.is_empty());
            let credentials = Credentials::of_headers(shown.as_deref(), user.as_deref(), groups);
            call.credentials = Some(Rc::new(credentials));
        }
    }
    if let Some(text) = init.body()?.as_string().filter(|text| !text.is_empty()) {
        call = call.with_text_alike(&text, specs);
    }
    Ok(call)
}

/// A stream of text for a script, and what puts one in.
fn text_stream() -> Result<(ReadableStream, Pen), JsValue> {
    let controller: Rc<RefCell<Option<JsValue>>> = Rc::default();
    let source = Object::new();
    let kept = Rc::clone(&controller);
    let start = Closure::<dyn Fn(JsValue)>::new(move |given: JsValue| {
        *kept.borrow_mut() = Some(given);
    });
    Reflect::set(&source, &"start".into(), &start.into_js_value())?;
    let ended = Rc::clone(&controller);
    let cancel = Closure::<dyn Fn()>::new(move || {
        *ended.borrow_mut() = None;
    });
    Reflect::set(&source, &"cancel".into(), &cancel.into_js_value())?;
    let stream = ReadableStream::new_with_underlying_source(&source)?;
    let push = Rc::new(move |text: Option<&str>| {
        let controller = controller.borrow();
        let Some(controller) = controller.as_ref() else {
            return false;
        };
        let method = if text.is_some() { "enqueue" } else { "close" };
        let method = Reflect::get(controller, &method.into()).unwrap_or_default();
        let Some(method) = method.dyn_ref::<Function>() else {
            return false;
        };
        match text {
            Some(text) => {
                let bytes = Uint8Array::from(text.as_bytes());
                method.call1(controller, &bytes).is_ok()
            }
            None => method.call0(controller).is_ok(),
        }
    });
    Ok((stream, push))
}
