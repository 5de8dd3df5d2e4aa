//! The editor's module, behind a small wrapper: nothing else knows that it is JavaScript.

use wasm_bindgen::prelude::{Closure, JsValue, wasm_bindgen};
use web_sys::Element;

use super::view::manifest::Problem;

#[wasm_bindgen(inline_js = "
export function load_editor() {
  return import(new URL('./modules/editor.js', document.baseURI).href);
}")]
extern "C" {
    #[wasm_bindgen(catch)]
    async fn load_editor() -> Result<JsValue, JsValue>;

    type EditorModule;

    #[wasm_bindgen(method, catch)]
    fn mount(
        this: &EditorModule,
        parent: &Element,
        text: &str,
        caret: Option<u32>,
        label: &str,
        on_change: &Closure<dyn FnMut(String)>,
        on_submit: &Closure<dyn FnMut()>,
    ) -> Result<EditorHandle, JsValue>;

    #[derive(Debug)]
    type EditorHandle;

    #[wasm_bindgen(method, js_name = setText)]
    fn set_text(this: &EditorHandle, text: &str);

    #[wasm_bindgen(method, js_name = setProblems)]
    fn set_problems(this: &EditorHandle, json: &str);

    #[wasm_bindgen(method)]
    fn show(this: &EditorHandle, line: usize);

    #[wasm_bindgen(method)]
    fn destroy(this: &EditorHandle);
}

/// What an editor begins with.
#[derive(Debug)]
pub struct Beginning {
    pub text: String,
    /// Where the person is in it, in UTF-16 units; none if they are elsewhere.
    pub caret: Option<u32>,
}

/// An editor on the page; it goes when this is dropped.
#[derive(Debug)]
pub struct Editor {
    handle: EditorHandle,
    // They are called for as long as the editor is there.
    _on_change: Closure<dyn FnMut(String)>,
    _on_submit: Closure<dyn FnMut()>,
}

impl Editor {
    /// Loads the editor's module and shows an editor in `parent`. `None` if there is none to be had,
    /// as natively and where the module cannot be loaded. `begin` is asked once it is loaded.
    pub async fn open(
        parent: Element,
        begin: impl FnOnce() -> Beginning,
        label: &str,
        on_change: impl FnMut(String) + 'static,
        on_submit: impl FnMut() + 'static,
    ) -> Option<Self> {
        if !cfg!(target_arch = "wasm32") {
            return None;
        }
        let module: EditorModule = load_editor().await.ok()?.into();
        let on_change = Closure::<dyn FnMut(String)>::new(on_change);
        let on_submit = Closure::<dyn FnMut()>::new(on_submit);
        let Beginning { text, caret } = begin();
        let handle = module.mount(&parent, &text, caret, label, &on_change, &on_submit).ok()?;
        Some(Self { handle, _on_change: on_change, _on_submit: on_submit })
    }

    /// Replaces the whole text.
    pub fn set_text(&self, text: &str) {
        self.handle.set_text(text);
    }

    /// Marks what is wrong, and nothing else.
    pub fn set_problems(&self, problems: &[Problem]) {
        let list: Vec<_> = problems
            .iter()
            .map(|problem| {
                serde_json::json!({
                    "line": problem.line, "column": problem.column, "message": problem.message,
                })
            })
            .collect();
        self.handle.set_problems(&serde_json::Value::from(list).to_string());
    }

    /// Goes to a line.
    pub fn show(&self, line: usize) {
        self.handle.show(line);
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.handle.destroy();
    }
}
