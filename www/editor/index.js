// The manifest editor: CodeMirror, loaded when it is first shown.
export { EditorView } from "@codemirror/view";
